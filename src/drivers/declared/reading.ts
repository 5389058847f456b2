/**
 * Reads the output of a program as a stream, in bounded memory for any content.
 *
 * Bytes that are not UTF-8 become U+FFFD, and lines that are not JSON are left out: neither is an error by itself. A
 * truncated document and an empty output have the status `nothing`.
 */
import {
  ConditionCollector,
  cutMark,
  type FoundUsage,
  MAX_RESULT_LENGTH,
  NumberCollector,
  TextCollector,
  USAGE_KEYS,
} from './finders.ts';
import { JsonDocument, JsonLines, stdoutOf, TailBuffer } from './json-output.ts';
import type { OutputSpec, Places } from './spec.ts';

export interface OutputReading {
  /** `nothing`: the output contains no credible result. */
  readonly status: 'ok' | 'failed' | 'nothing';
  readonly text?: string | undefined;
  readonly session?: string | undefined;
  readonly error?: string | undefined;
  /** What its events warn of, whatever the result. */
  readonly warning?: string | undefined;
  readonly usage: FoundUsage;
  /** The name of a run that continues outside the process. */
  readonly unsettled?: string | undefined;
  /** Of JSON lines: how many were events, and how many were something else. */
  readonly events: number;
  readonly ignored: number;
  /** Lines that were too long to be read. */
  readonly tooLong: number;
}

/** Names of runs that are safe in an argument. */
const RUN_ID = /^[\w.:/-]{1,200}$/;

export interface ReadingRules {
  readonly output: OutputSpec;
  /** Conditions of a run that continues outside the process, and the places of its name. */
  readonly settle?: { readonly when: readonly string[]; readonly run_id: Places } | undefined;
}

/** Everything that is kept of the output of a process as text, with a mark where a part is missing. */
export async function textOf(directory: string, maxOutputBytes: number): Promise<string> {
  const gap = Buffer.from(`\n[A part is missing here: max_output_bytes is ${maxOutputBytes}.]\n`);
  return (await readText(stdoutOf(directory, gap))).text ?? '';
}

/** @param pieces the output, from its beginning */
export async function readOutput(pieces: AsyncIterable<Buffer>, rules: ReadingRules): Promise<OutputReading> {
  const { format } = rules.output;
  if (format === 'text') return readText(pieces);
  const reader = eventReader(rules);
  if (format === 'jsonl') {
    const lines = new JsonLines((event) => reader.receive(event));
    for await (const piece of pieces) lines.write(piece);
    lines.end();
    return reader.reading(lines);
  }
  const document = new JsonDocument();
  for await (const piece of pieces) document.write(piece);
  const found = document.end();
  if (found) reader.receive(found);
  return reader.reading({ ignored: 0, tooLong: 0 });
}

async function readText(pieces: AsyncIterable<Buffer>): Promise<OutputReading> {
  const end = new TailBuffer(MAX_RESULT_LENGTH);
  let bytes = 0;
  for await (const piece of pieces) {
    end.write(piece);
    bytes += piece.length;
  }
  const kept = new TextDecoder('utf-8').decode(end.tail);
  const text = bytes > MAX_RESULT_LENGTH ? `${cutMark('bytes', MAX_RESULT_LENGTH)}${kept}` : kept;
  return {
    status: kept.trim() === '' ? 'nothing' : 'ok',
    text,
    usage: {},
    events: 0,
    ignored: 0,
    tooLong: 0,
  };
}

function eventReader({ output, settle }: ReadingRules) {
  const result = new ConditionCollector(output.result ?? ['$']);
  const failed = new ConditionCollector(output.failed);
  const unsettled = new ConditionCollector(settle?.when);
  const text = new TextCollector(output.text, MAX_RESULT_LENGTH);
  const session = new TextCollector(output.session);
  const error = new TextCollector(output.error);
  const warning = new TextCollector(output.warning);
  const run = new TextCollector(settle?.run_id);
  const usage = USAGE_KEYS.map((key) => [key, new NumberCollector(output.usage?.[key])] as const);
  const model = new TextCollector(output.usage?.model);
  const numbers = usage.map(([, collector]) => collector);
  const collectors = [result, failed, unsettled, text, session, error, warning, run, model, ...numbers];
  let events = 0;
  return {
    receive: (event: object): void => {
      events++;
      for (const each of collectors) each.receive(event);
    },
    reading: ({ ignored, tooLong }: Pick<OutputReading, 'ignored' | 'tooLong'>): OutputReading => ({
      status: failed.holds ? 'failed' : result.holds ? 'ok' : 'nothing',
      text: text.value,
      session: session.value,
      error: error.value,
      warning: warning.value,
      usage: {
        ...Object.fromEntries(usage.map(([key, { found }]) => [key, found])),
        model: model.value,
      },
      unsettled: unsettled.holds && run.value !== undefined && RUN_ID.test(run.value) ? run.value : undefined,
      events,
      ignored,
      tooLong,
    }),
  };
}
