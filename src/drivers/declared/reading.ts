/**
 * What a program's output says: read as a stream, in bounded memory, whatever stands in it.
 *
 * B1 Bytes that are no UTF-8 become U+FFFD, lines that are no JSON are left out: neither is an error by itself.
 * B2 Without a sign of a result there is none: a document that breaks off and an empty output read as `nothing`.
 */
import type { OutputSpec } from '../spec/driver-spec.ts';
import { type Condition, holds, parseCondition } from '../spec/json-path.ts';
import { type FoundNumber, NumberCollector, TextCollector } from './finders.ts';
import { JsonDocument } from './json-document.ts';
import { JsonLines } from './json-lines.ts';

export interface FoundUsage {
  readonly input_tokens: FoundNumber | undefined;
  readonly output_tokens: FoundNumber | undefined;
  readonly cost_usd: FoundNumber | undefined;
}

export interface Reading {
  /** `nothing`: the output has no result that could be believed. */
  readonly status: 'ok' | 'failed' | 'nothing';
  readonly text: string | undefined;
  readonly session: string | undefined;
  readonly error: string | undefined;
  readonly usage: FoundUsage;
  /** In a run that was taken on elsewhere and may go on there: its name there. */
  readonly unsettled: string | undefined;
  /** Of JSON lines: how many counted, and how many were something else. */
  readonly events: number;
  readonly ignored: number;
}

/** A name of a run that may stand in an argument. */
const RUN_ID = /^[\w.:/-]{1,200}$/;
const TEXT_BYTES_MAX = 256 * 1_024;

export interface ReadingRules {
  readonly output: OutputSpec;
  /** Conditions of a run that goes on elsewhere, and where its name stands. */
  readonly settle?:
    | { readonly when: readonly string[]; readonly run_id: ConstructorParameters<typeof TextCollector>[0] }
    | undefined;
}

/** @param pieces the output, from its beginning */
export async function readOutput(pieces: AsyncIterable<Buffer>, rules: ReadingRules): Promise<Reading> {
  const { format } = rules.output;
  if (format === 'text') return readText(pieces);
  const collector = new Collector(rules);
  if (format === 'jsonl') {
    const lines = new JsonLines((event) => collector.see(event));
    for await (const piece of pieces) lines.write(piece);
    lines.end();
    return collector.reading(lines.ignored);
  }
  const document = new JsonDocument();
  for await (const piece of pieces) document.write(piece);
  const found = document.end();
  if (found) collector.see(found);
  return collector.reading(0);
}

async function readText(pieces: AsyncIterable<Buffer>): Promise<Reading> {
  let end = Buffer.alloc(0);
  for await (const piece of pieces) {
    const all = Buffer.concat([end, piece]);
    end = all.subarray(Math.max(0, all.length - TEXT_BYTES_MAX));
  }
  const text = new TextDecoder('utf-8').decode(end);
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

class Collector {
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

  see(event: object): void {
    const isOneOf = (conditions: readonly Condition[]): boolean =>
      conditions.some((each) => holds(event, each));
    this.#events++;
    this.#hasResult ||= isOneOf(this.#result);
    this.#hasFailed ||= isOneOf(this.#failed);
    this.#isUnsettled ||= isOneOf(this.#unsettled);
    for (const each of [this.#text, this.#session, this.#error, this.#run]) each.see(event);
    for (const each of Object.values(this.#usage)) each.see(event);
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
