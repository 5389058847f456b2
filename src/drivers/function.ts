/** Agents in this process: a handler function, for embedding, tests and benches. */
import { hostname } from 'node:os';
import { messageOf } from '../contracts/errors.ts';
import type { OUTPUT_TYPES, Output, TaskSpec } from '../contracts/tasks.ts';
import type { Adoption, Driver, Run, RunEnd, RunOrder } from './driver.ts';

const HOST = hostname();

/** What a handler sees of its attempt. */
export interface FunctionContext {
  readonly project: string;
  readonly task: string;
  readonly attempt: number;
  readonly spec: TaskSpec;
  /** W3C trace context of this attempt, for whatever the handler calls. */
  readonly traceparent: string;
  /** Aborted when the attempt is to end: on a timeout, a cancellation, a shutdown. */
  readonly signal: AbortSignal;
  /** The prompt that a process would get, with the outcomes of earlier attempts. */
  readonly prompt: () => string;
}

export interface FunctionOutput {
  readonly type?: (typeof OUTPUT_TYPES)[number];
  readonly title?: string;
  readonly content: string;
  readonly summary?: string;
}

/** A handler: what it returns becomes the outputs of the task; what it throws, the attempt's error. */
export type FunctionHandler = (
  context: FunctionContext,
) =>
  | FunctionOutput
  | readonly FunctionOutput[]
  | string
  | undefined
  | Promise<FunctionOutput | readonly FunctionOutput[] | string | undefined>;

export class FunctionDriver implements Driver {
  readonly name = 'function';
  readonly writesBack = false;
  readonly adoptable = false;
  readonly #handler: FunctionHandler;
  readonly #now: () => number;

  constructor(handler: FunctionHandler, now: () => number) {
    this.#handler = handler;
    this.#now = now;
  }

  async start(order: RunOrder): Promise<Run> {
    const startedAt = this.#now();
    const abort = new AbortController();
    return {
      start: { host: HOST },
      ended: this.#run(order, abort.signal),
      lastSignAt: () => startedAt,
      stop: () => abort.abort(),
      detach: () => abort.abort(),
    };
  }

  /** A function does not outlive its process. */
  async adopt(): Promise<Adoption> {
    const result = { kind: 'lost', reason: 'the process in which the function ran has ended' } as const;
    return { kind: 'ended', start: null, end: { result, outputs: [] } };
  }

  async #run(order: RunOrder, signal: AbortSignal): Promise<RunEnd> {
    const { project, task, attempt, spec, traceparent, prompt } = order;
    try {
      const returned = await this.#handler({ project, task, attempt, spec, traceparent, signal, prompt });
      return { result: { kind: 'returned' }, outputs: outputsOf(returned, order) };
    } catch (thrown) {
      return { result: { kind: 'threw', error: messageOf(thrown) }, outputs: [] };
    }
  }
}

function outputsOf(returned: Awaited<ReturnType<FunctionHandler>>, order: RunOrder): Output[] {
  if (returned === undefined) return [];
  const list =
    typeof returned === 'string' ? [{ content: returned }] : Array.isArray(returned) ? returned : [returned];
  return list.map((output: FunctionOutput) => ({
    type: output.type ?? 'other',
    title: output.title ?? order.spec.title,
    content: output.content,
    summary: output.summary,
    agent: order.agent,
  }));
}
