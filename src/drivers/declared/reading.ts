/**
 * Reads the output of a program as a stream, in bounded memory for any content.
 *
 * Bytes that are not UTF-8 become U+FFFD, and lines that are not JSON are left out: neither is an error by itself. A
 * truncated document and an empty output have the status `nothing`.
 */
import {
  ConditionCollector,
  type FoundUsage,
  NumberCollector,
  TextCollector,
  USAGE_KEYS,
} from './finders.ts';
import { JsonDocument, JsonLines, TailBuffer } from './json-output.ts';
import type { OutputSpec, Places } from './spec.ts';

export interface OutputReading {
  /** `nothing`: the output contains no credible result. */
  readonly status: 'ok' | 'failed' | 'nothing';
  readonly text?: string | undefined;
  readonly session?: string | undefined;
  readonly error?: string | undefined;
  readonly usage: FoundUsage;
  /** The name of a run that continues outside the process. */
  readonly unsettled?: string | undefined;
  /** Of JSON lines: how many were events, and how many were something else. */
  readonly events: number;
  readonly ignored: number;
}

/** Names of runs that are safe in an argument. */
const RUN_ID = /^[\w.:/-]{1,200}$/;
const MAX_TEXT_BYTES = 256 * 1_024;

export interface ReadingRules {
  readonly output: OutputSpec;
  /** Conditions of a run that continues outside the process, and the places of its name. */
  readonly settle?: { readonly when: readonly string[]; readonly run_id: Places } | undefined;
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
    return reader.reading(lines.ignored);
  }
  const document = new JsonDocument();
  for await (const piece of pieces) document.write(piece);
  const found = document.end();
  if (found) reader.receive(found);
  return reader.reading(0);
}

async function readText(pieces: AsyncIterable<Buffer>): Promise<OutputReading> {
  const end = new TailBuffer(MAX_TEXT_BYTES);
  for await (const piece of pieces) end.write(piece);
  const text = new TextDecoder('utf-8').decode(end.tail);
  return { status: text.trim() === '' ? 'nothing' : 'ok', text, usage: {}, events: 0, ignored: 0 };
}

function eventReader({ output, settle }: ReadingRules) {
  const result = new ConditionCollector(output.result ?? ['$']);
  const failed = new ConditionCollector(output.failed);
  const unsettled = new ConditionCollector(settle?.when);
  const text = new TextCollector(output.text);
  const session = new TextCollector(output.session);
  const error = new TextCollector(output.error);
  const run = new TextCollector(settle?.run_id);
  const usage = USAGE_KEYS.map((key) => [key, new NumberCollector(output.usage?.[key])] as const);
  const numbers = usage.map(([, collector]) => collector);
  const collectors = [result, failed, unsettled, text, session, error, run, ...numbers];
  let events = 0;
  return {
    receive: (event: object): void => {
      events++;
      for (const each of collectors) each.receive(event);
    },
    reading: (ignored: number): OutputReading => ({
      status: failed.holds ? 'failed' : result.holds ? 'ok' : 'nothing',
      text: text.value,
      session: session.value,
      error: error.value,
      usage: Object.fromEntries(usage.map(([key, { found }]) => [key, found])),
      unsettled: unsettled.holds && run.value !== undefined && RUN_ID.test(run.value) ? run.value : undefined,
      events,
      ignored,
    }),
  };
}
