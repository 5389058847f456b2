/** Agents in this process: a handler function, for embedding, tests and benchmarks. */
import { hostname } from 'node:os';
import { z } from 'zod';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import type { AttemptRef } from '../contracts/ids.ts';
import type { OUTPUT_TYPES, Output, TaskSpec } from '../contracts/tasks.ts';
import { defineDriver, localOptions } from './definition.ts';
import type { Adoption, Driver, Run, RunEnd, RunRequest } from './driver.ts';

const HOST = hostname();

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
  readonly #handler: FunctionHandler;
  readonly #now: () => number;

  constructor(handler: FunctionHandler, now: () => number) {
    this.#handler = handler;
    this.#now = now;
  }

  async start(request: RunRequest): Promise<Run> {
    const startedAt = this.#now();
    const abort = new AbortController();
    return {
      start: { host: HOST },
      ended: this.#run(request, abort.signal),
      lastSignAt: () => startedAt,
      stop: () => abort.abort(),
      detach: () => abort.abort(),
    };
  }

  /** A function ends with its process. */
  async adopt(): Promise<Adoption> {
    const result = { kind: 'lost', reason: 'the process in which the function ran has ended' } as const;
    return { kind: 'ended', start: null, end: { result, outputs: [] } };
  }

  async #run(request: RunRequest, signal: AbortSignal): Promise<RunEnd> {
    const { project, task, attempt, spec, traceparent, prompt } = request;
    try {
      const returned = await this.#handler({ project, task, attempt, spec, traceparent, signal, prompt });
      return { result: { kind: 'returned' }, outputs: returnedOutputs(returned, request.agent, spec.title) };
    } catch (thrown) {
      return { result: { kind: 'threw', error: messageOf(thrown) }, outputs: [] };
    }
  }
}

/** The outputs that a handler has returned. @param title of those without one */
export function returnedOutputs(returned: Returned, agent: string, title: string): Output[] {
  const list = typeof returned === 'string' ? [{ content: returned }] : [returned ?? []].flat();
  return list.map((output: FunctionOutput) => ({ type: 'other', title, ...output, agent }));
}
