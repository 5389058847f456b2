/**
 * Requests that are sent again where that may help and cannot harm, with growing and random waits between.
 *
 * T1 A request is repeated only where a repeat cannot do anything twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SignalboxError } from '../contracts/errors.ts';
import type { IncomingTrace } from '../contracts/trace-context.ts';
import { type RetryPolicy, waitBefore } from './retry.ts';
import { type HeaderFields, type Opened, openStream, type Reply, type Request, send } from './transport.ts';

export interface ClientOptions {
  /** `http://127.0.0.1:8083` by default. */
  readonly url?: string | undefined;
  /** Milliseconds that one request may take, its answer included; 30,000 by default. */
  readonly timeoutMs?: number;
  readonly retry?: Partial<RetryPolicy>;
  /** Of a person ("signalbox token new"), or of an attempt, for an agent that speaks for it. */
  readonly token?: string | undefined;
  /** Answers about tasks that are kept, to be asked for with their ETag; at least 1, and 1,000 by default. */
  readonly cacheSize?: number;
  /** Where in a trace the caller is: sent with every request, so that what it creates belongs to that trace. */
  readonly trace?: IncomingTrace | undefined;
}

export const DEFAULT_URL = 'http://127.0.0.1:8083';
const TIMEOUT_MS = 30_000;

const RETRY: RetryPolicy = {
  retries: 4,
  initialMs: 100,
  maxMs: 5_000,
  longestWaitMs: 30_000,
  random: Math.random,
  sleep: async (ms) => sleep(ms),
};

export type Answered = Extract<Reply, { ok: true }>;

export type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export class Caller {
  readonly retry: RetryPolicy;
  readonly #url: string;
  readonly #timeoutMs: number;
  readonly #token: string | undefined;
  readonly #trace: IncomingTrace;

  /** @throws SignalboxError `invalid_request` where `url` is not one */
  constructor({ url = DEFAULT_URL, timeoutMs = TIMEOUT_MS, retry, token, trace = {} }: ClientOptions) {
    if (!URL.canParse(url) || !/^https?:/.test(url)) {
      throw new SignalboxError(
        'invalid_request',
        `${JSON.stringify(url)} is not an address of Signalbox: give a URL as in ${DEFAULT_URL}`,
      );
    }
    this.#url = url.replace(/\/+$/, '');
    this.#timeoutMs = timeoutMs;
    this.retry = { ...RETRY, ...retry };
    this.#token = token;
    this.#trace = trace;
  }

  async read(path: string, query: Query = {}): Promise<unknown> {
    return (await this.call(path + textOf(query), { method: 'GET' }, true)).body;
  }

  async write(path: string, body: unknown): Promise<unknown> {
    return (await this.call(path, { method: 'POST', body }, false)).body;
  }

  /** @param waitMs what the server is asked to wait, beyond the time that a request may take */
  async call(path: string, request: Request, isRepeatable: boolean, waitMs = 0): Promise<Answered> {
    const url = new URL(this.#url + path);
    // A tracestate goes with its own traceparent only.
    const trace = request.headers?.traceparent === undefined ? this.#trace : {};
    const sent = { ...request, headers: { ...trace, ...request.headers }, token: this.#token };
    for (let number = 1; ; number++) {
      const reply = await send(url, sent, this.#timeoutMs + waitMs);
      if (reply.ok) return reply;
      const mayRepeat = isRepeatable && reply.isPassing;
      const wait = mayRepeat ? waitBefore(number, reply.retryAfterMs, this.retry) : null;
      if (wait === null) throw reply.error;
      await this.retry.sleep(wait);
    }
  }

  /** An answer without end. One try: who follows comes back by himself. */
  open(path: string, headers: HeaderFields, signal: AbortSignal): Promise<Opened> {
    return openStream(new URL(this.#url + path), { headers, token: this.#token, signal });
  }
}

/** Lists are written with commas; what is absent or empty is left out. */
export function textOf(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    const text = String(value ?? '');
    if (text !== '') params.set(name, text);
  }
  return params.size === 0 ? '' : `?${params}`;
}
