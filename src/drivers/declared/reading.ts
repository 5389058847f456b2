/**
 * Reads the output of a program as a stream, in bounded memory, whatever it contains.
 *
 * Bytes that are not UTF-8 become U+FFFD, and lines that are not JSON are left out: neither is an error by itself. Without
 * a sign of a result there is none: a document that breaks off and an empty output read as `nothing`.
 */
import { type FoundUsage, NumberCollector, TextCollector } from './finders.ts';
import { JsonDocument, JsonLines, TailBuffer } from './json-output.ts';
import { type Condition, holds, parseCondition } from './json-path.ts';
import type { OutputSpec, Places } from './spec.ts';

export interface Reading {
  /** `nothing`: the output contains no credible result. */
  readonly status: 'ok' | 'failed' | 'nothing';
  readonly text: string | undefined;
  readonly session: string | undefined;
  readonly error: string | undefined;
  readonly usage: FoundUsage;
  /** The name of a run that goes on elsewhere. */
  readonly unsettled: string | undefined;
  /** Of JSON lines: how many were events, and how many were something else. */
  readonly events: number;
  readonly ignored: number;
}

/** Names of runs that are safe in an argument. */
const RUN_ID = /^[\w.:/-]{1,200}$/;
const MAX_TEXT_BYTES = 256 * 1_024;

export interface ReadingRules {
  readonly output: OutputSpec;
  /** Conditions of a run that goes on elsewhere, and the places of its name. */
  readonly settle?: { readonly when: readonly string[]; readonly run_id: Places } | undefined;
}

/** @param pieces the output, from its beginning */
export async function readOutput(pieces: AsyncIterable<Buffer>, rules: ReadingRules): Promise<Reading> {
  const { format } = rules.output;
  if (format === 'text') return readText(pieces);
  const reader = new EventReader(rules);
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

async function readText(pieces: AsyncIterable<Buffer>): Promise<Reading> {
  const end = new TailBuffer(MAX_TEXT_BYTES);
  for await (const piece of pieces) end.write(piece);
  const text = new TextDecoder('utf-8').decode(end.tail);
  return { ...NOTHING, status: text.trim() === '' ? 'nothing' : 'ok', text };
}

const NOTHING: Omit<Reading, 'status' | 'text'> = {
  session: undefined,
  error: undefined,
  usage: { input_tokens: undefined, output_tokens: undefined, cost_usd: undefined },
  unsettled: undefined,
  events: 0,
  ignored: 0,
};

class EventReader {
  readonly #result: readonly Condition[];
  readonly #failed: readonly Condition[];
  readonly #unsettled: readonly Condition[];
  readonly #text: TextCollector;
  readonly #session: TextCollector;
  readonly #error: TextCollector;
  readonly #run: TextCollector;
  readonly #usage: Record<keyof FoundUsage, NumberCollector>;
  #hasResult = false;
  #hasFailed = false;
  #isUnsettled = false;
  #events = 0;

  constructor({ output, settle }: ReadingRules) {
    this.#result = (output.result ?? ['$']).map(parseCondition);
    this.#failed = (output.failed ?? []).map(parseCondition);
    this.#unsettled = (settle?.when ?? []).map(parseCondition);
    this.#text = new TextCollector(output.text);
    this.#session = new TextCollector(output.session);
    this.#error = new TextCollector(output.error);
    this.#run = new TextCollector(settle?.run_id);
    this.#usage = {
      input_tokens: new NumberCollector(output.usage?.input_tokens),
      output_tokens: new NumberCollector(output.usage?.output_tokens),
      cost_usd: new NumberCollector(output.usage?.cost_usd),
    };
  }

  receive(event: object): void {
    const isOneOf = (conditions: readonly Condition[]) => conditions.some((each) => holds(event, each));
    this.#events++;
    this.#hasResult ||= isOneOf(this.#result);
    this.#hasFailed ||= isOneOf(this.#failed);
    this.#isUnsettled ||= isOneOf(this.#unsettled);
    for (const each of [this.#text, this.#session, this.#error, this.#run]) each.receive(event);
    for (const each of Object.values(this.#usage)) each.receive(event);
  }

  reading(ignored: number): Reading {
    const run = this.#run.value;
    return {
      status: this.#hasFailed ? 'failed' : this.#hasResult ? 'ok' : 'nothing',
      text: this.#text.value,
      session: this.#session.value,
      error: this.#error.value,
      usage: {
        input_tokens: this.#usage.input_tokens.found,
        output_tokens: this.#usage.output_tokens.found,
        cost_usd: this.#usage.cost_usd.found,
      },
      unsettled: this.#isUnsettled && run !== undefined && RUN_ID.test(run) ? run : undefined,
      events: this.#events,
      ignored,
    };
  }
}
