/**
 * Requests for operations: path, query and body are made from the operation's declaration and one flat input.
 *
 * A request is repeated only if a repeat cannot do anything twice, with growing and random waits in between.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Lru } from '../base/lru.ts';
import type { IncomingTrace } from '../base/trace-context.ts';
import { SignalboxError } from '../contracts/errors.ts';
import { type Operation, takesBody } from '../operations/operation.ts';
import { parse, parseObject } from '../operations/parse.ts';
import {
  type AnswerOf,
  type CallOptions,
  type InputOf,
  inputParts,
  type OperationName,
  operationNamed,
} from '../operations/typed.ts';
import { type RetryPolicy, waitBefore } from './retry.ts';
import { type HeaderFields, type Opened, openStream, type Reply, type Request, send } from './transport.ts';

export interface ClientOptions {
  /** `http://127.0.0.1:8083` by default. */
  readonly url?: string | undefined;
  /** Milliseconds that one request may take, including its answer; 30,000 by default. */
  readonly timeoutMs?: number;
  readonly retry?: Partial<RetryPolicy>;
  /** Token of a user ("signalbox token new") or of an attempt. */
  readonly token?: string | undefined;
  /** How many tasks are cached and requested with their ETag; at least 1, and 1,000 by default. */
  readonly cacheSize?: number;
  /** The caller's trace: sent with every request, so that what it creates belongs to that trace. */
  readonly trace?: IncomingTrace | undefined;
}

export const DEFAULT_URL = 'http://127.0.0.1:8083';
const TIMEOUT_MS = 30_000;
const CACHE_SIZE = 1_000;

const RETRY: RetryPolicy = {
  retries: 4,
  initialMs: 100,
  maxMs: 5_000,
  longestWaitMs: 30_000,
  random: Math.random,
  sleep: async (ms) => sleep(ms),
};

export type Answered<Body> = Extract<Reply<Body>, { ok: true }>;

export class Requests {
  readonly retry: RetryPolicy;
  readonly #url: string;
  readonly #timeoutMs: number;
  readonly #token: string | undefined;
  readonly #trace: IncomingTrace;
  readonly #known: Lru<string, Answered<unknown>>;

  /** @throws SignalboxError `invalid_request` if `url` is not one */
  constructor({
    url = DEFAULT_URL,
    timeoutMs = TIMEOUT_MS,
    retry,
    token,
    trace = {},
    cacheSize,
  }: ClientOptions = {}) {
    if (!URL.canParse(url) || !/^https?:/.test(url)) {
      throw new SignalboxError(
        'invalid_request',
        `${JSON.stringify(url)} is not an address of Signalbox: give a URL such as ${DEFAULT_URL}`,
      );
    }
    this.#url = url.replace(/\/+$/, '');
    this.#timeoutMs = timeoutMs;
    this.retry = { ...RETRY, ...retry };
    this.#token = token;
    this.#trace = trace;
    this.#known = new Lru(Math.max(cacheSize ?? CACHE_SIZE, 1));
  }

  /**
   * Calls an operation. A cached task is requested with its ETag, and sent again only if it has changed.
   * @returns the answer with its status and headers. @throws SignalboxError with the code of the answer, or `unreachable`
   */
  request<Name extends OperationName>(
    name: Name,
    input: InputOf<Name>,
    options?: CallOptions,
  ): Promise<Answered<AnswerOf<Name>>>;
  async request(name: string, input: object, options: CallOptions = {}): Promise<Answered<unknown>> {
    const operation = operationNamed(name);
    const { params, query, body } = inputParts(operation, parseObject(input, 'input'));
    const path = pathOf(operation, params);
    const { wait: _, ...state } = query;
    const key = path + textOf(state);
    const isKept =
      operation.headers?.['If-None-Match'] !== undefined && operation.http.path.includes('{task}');
    const known = isKept ? this.#known.get(key) : undefined;
    const { idempotencyKey, trace = {} } = options;
    const request: Request = {
      method: operation.http.method,
      headers: {
        'if-none-match': known?.headers.get('etag') ?? undefined,
        'idempotency-key': idempotencyKey,
        ...trace,
      },
      ...(takesBody(operation) && { body }),
      ...(operation.answers[200]?.mediaType !== undefined && { answer: 'text' }),
    };
    const isRepeatable =
      !takesBody(operation) || idempotencyKey !== undefined || operation.isIdempotent(body);
    const answered = await this.#send(path + textOf(query), request, isRepeatable, operation.waitMs(query));
    if (answered.status === 304 && known) return known;
    if (isKept && answered.headers.has('etag')) this.#known.set(key, answered);
    return answered;
  }

  /** Opens a stream. Not repeated: callers that follow reconnect by themselves. */
  open(
    name: OperationName,
    input: object,
    { headers, signal }: { readonly headers: HeaderFields; readonly signal: AbortSignal },
  ): Promise<Opened> {
    const operation = operationNamed(name);
    const { params, query } = inputParts(operation, input);
    const url = new URL(this.#url + pathOf(operation, params) + textOf(query));
    return openStream(url, { headers, token: this.#token, signal });
  }

  /** @param waitMs how long the server is asked to wait; added to the time limit */
  async #send(
    path: string,
    request: Request,
    isRepeatable: boolean,
    waitMs: number,
  ): Promise<Answered<unknown>> {
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
}

/** @throws SignalboxError `invalid_id`: in a URL, an id such as ".." would change the path */
function pathOf({ http, input }: Operation, params: Readonly<Record<string, string>>): string {
  parse(input.params, params, 'path', 'invalid_id');
  return http.path.replace(/\{(\w+)\}/g, (_, name) => params[name] ?? '');
}

function textOf(query: Readonly<Record<string, string>>): string {
  const params = new URLSearchParams(query);
  return params.size === 0 ? '' : `?${params}`;
}
