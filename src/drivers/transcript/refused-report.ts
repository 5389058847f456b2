/**
 * Whether an agent has tried in vain to report to Signalbox over MCP: its program did not permit the call, or the call failed.
 * Signalbox itself does not see a call that a program does not permit.
 */
import type { TranscriptFormat } from '../../contracts/transcript/schemas.ts';
import { linesFrom } from '../../process/files/recorded-lines.ts';
import type { RecordedOutput } from '../../process/files/recorded-output.ts';
import { type CallContent, entriesOf } from './transcript.ts';

/** The tools with which an agent gives its result, as programs name them. A model chooses neither name. */
const REPORTS =
  /^(?:(?:mcp_{1,2})?signalbox(?:_{1,2}|\.)(?:task_output|task_status)|(?:task_output|task_status) \(signalbox MCP Server\))$/;
const OWN_NAME = Buffer.from('signalbox');
/** Calls that have begun and not ended. */
const MAX_OPEN = 100;
const MAX_REASON = 500;

/** Why the last report failed; undefined if none did, or another one was accepted afterwards. */
export async function refusedReportIn(
  output: RecordedOutput,
  format: TranscriptFormat,
): Promise<string | undefined> {
  if (format === 'text') return undefined;
  const open = new Map<string, Buffer>();
  let refused: string | undefined;
  for await (const line of linesFrom(output, { from: 0, isOver: true })) {
    // Few lines are about these calls: the others are not read.
    if (line.kind === 'gap' || !mayConcern(line.bytes, open)) continue;
    for (const entry of entriesOf(format, line)) {
      if (entry.kind !== 'tool_call') continue;
      if (isReport(entry) && open.size < MAX_OPEN) open.set(entry.call, Buffer.from(entry.call));
      if (!open.has(entry.call) || (entry.state !== 'failed' && entry.state !== 'completed')) continue;
      refused = entry.state === 'failed' ? reasonOf(entry) : undefined;
      open.delete(entry.call);
    }
  }
  return refused;
}

function mayConcern(line: Buffer, open: ReadonlyMap<string, Buffer>): boolean {
  return line.includes(OWN_NAME) || [...open.values()].some((call) => line.includes(call));
}

function isReport({ tool, title }: CallContent): boolean {
  return REPORTS.test(tool ?? '') || REPORTS.test(title ?? '');
}

function reasonOf({ output }: CallContent): string {
  const reason = output?.trim() ?? '';
  return reason === '' ? 'its program gave no reason' : reason.slice(0, MAX_REASON);
}
