/** Agents in this process: a handler function, for embedding, tests and benchmarks. */
import { hostname } from 'node:os';
import { z } from 'zod';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import type { AttemptRef } from '../contracts/ids.ts';
import type { OUTPUT_TYPES, Output, TaskSpec } from '../contracts/tasks.ts';
import { defineDriver, localOptions } from './definition.ts';
import type { Adoption, Driver, Run, RunEnd, RunRequest } from './driver.ts';

const START = { host: hostname() };

/** What a handler is given. */
export interface FunctionContext extends AttemptRef {
  readonly spec: TaskSpec;
  /** W3C trace context of this attempt, for requests that the handler makes. */
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

export type Returned = FunctionOutput | readonly FunctionOutput[] | string | undefined;

/** What a handler returns becomes the outputs of the task; what it throws, the attempt's error. */
export type FunctionHandler = (context: FunctionContext) => Returned | Promise<Returned>;

export const functionDriver = defineDriver({
  name: 'function',
  schema: z.strictObject({ driver: z.literal('function'), ...localOptions }),
  create: ({ id }, { functions, now }) => {
    const handler = functions[id];
    if (handler) return new FunctionDriver(handler, now);
    throw new SignalboxError(
      'config_invalid',
      `agents.${id}: it has the driver function, but functions.${id} is missing`,
    );
  },
  listing: null,
});

export class FunctionDriver implements Driver {
  readonly name = 'function';
  readonly writesBack = false;
  readonly adoptable = false;
  /** A function is called in this process, as soon as its claim is stored. */
  readonly startsWithClaim = START;
  readonly #handler: FunctionHandler;
  readonly #now: () => number;

  constructor(handler: FunctionHandler, now: () => number) {
    this.#handler = handler;
    this.#now = now;
  }

  start(request: RunRequest): Run {
    const startedAt = this.#now();
    const context = new CallContext(request);
    return {
      start: START,
      ended: this.#run(request, context),
      lastSignAt: () => startedAt,
      stop: () => context.abort(),
      detach: () => context.abort(),
    };
  }

  /** A function ends with its process. */
  async adopt(): Promise<Adoption> {
    const result = { kind: 'lost', reason: 'the process in which the function ran has ended' } as const;
    return { kind: 'ended', start: null, end: { result, outputs: [] } };
  }

  async #run({ agent, spec }: RunRequest, context: FunctionContext): Promise<RunEnd> {
    try {
      const returned = await this.#handler(context);
      return { result: { kind: 'returned' }, outputs: returnedOutputs(returned, agent, spec.title) };
    } catch (thrown) {
      return { result: { kind: 'threw', error: messageOf(thrown) }, outputs: [] };
    }
  }
}

/** What a handler is given; what few handlers ask for is made on demand. */
class CallContext implements FunctionContext {
  readonly project: string;
  readonly task: string;
  readonly attempt: number;
  readonly spec: TaskSpec;
  readonly prompt: () => string;
  readonly #request: RunRequest;
  #controller: AbortController | null = null;
  #isAborted = false;

  constructor(request: RunRequest) {
    this.project = request.project;
    this.task = request.task;
    this.attempt = request.attempt;
    this.spec = request.spec;
    this.prompt = request.prompt;
    this.#request = request;
  }

  get traceparent(): string {
    return this.#request.traceparent;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isAborted) this.#controller.abort();
    return this.#controller.signal;
  }

  abort(): void {
    this.#isAborted = true;
    this.#controller?.abort();
  }
}

/** The outputs that a handler has returned. @param title of those without one */
export function returnedOutputs(returned: Returned, agent: string, title: string): Output[] {
  const list = typeof returned === 'string' ? [{ content: returned }] : [returned ?? []].flat();
  return list.map((output: FunctionOutput) => ({ type: 'other', title, ...output, agent }));
}
