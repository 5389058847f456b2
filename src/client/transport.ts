/** One HTTP request and its answer. Every error is a SignalboxError, from Signalbox or from the network. */
import { problemSchema } from '../contracts/api/system-answers.ts';
import { ERROR_CODES, type ErrorCode, messageOf, SignalboxError } from '../contracts/errors.ts';
import { retryAfterMs } from './retry.ts';

export type HeaderFields = Readonly<Record<string, string | undefined>>;

export interface Request {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** In lower case; undefined ones are not sent. */
  readonly headers?: HeaderFields;
  readonly body?: unknown;
  readonly token?: string | undefined;
  /** JSON if absent. */
  readonly answer?: 'text';
}

export type Reply<Body = unknown> =
  | { readonly ok: true; readonly status: number; readonly headers: Headers; readonly body: Body }
  | {
      readonly ok: false;
      readonly error: SignalboxError;
      /** Whether the same request may succeed later. */
      readonly isPassing: boolean;
      readonly retryAfterMs: number;
    };

const PASSING_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** @param timeoutMs from the call to the end of the answer */
export async function send(url: URL, request: Request, timeoutMs: number): Promise<Reply> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { ...initOf(request), signal: AbortSignal.timeout(timeoutMs) });
    text = await response.text();
  } catch (cause) {
    return { ok: false, error: unreachable(url, timeoutMs, cause), isPassing: true, retryAfterMs: 0 };
  }
  const isText = request.answer === 'text' && response.ok;
  const body = isText ? text : jsonOf(text);
  const { status, headers } = response;
  if (status === 304) return { ok: true, status, headers, body: undefined };
  if (response.ok && body !== undefined) return { ok: true, status, headers, body };
  return failure(url, response, body);
}

/** A stream, or the error. */
export type Opened =
  | { readonly ok: true; readonly body: AsyncIterable<Uint8Array> }
  | Extract<Reply, { ok: false }>;

/** @param request.signal ends the answer too */
export async function openStream(
  url: URL,
  request: {
    readonly headers: HeaderFields;
    readonly token: string | undefined;
    readonly signal: AbortSignal;
  },
): Promise<Opened> {
  const { signal } = request;
  try {
    const response = await fetch(url, { ...initOf({ ...request, method: 'GET' }), signal });
    if (response.ok && response.body) return { ok: true, body: response.body };
    return failure(url, response, jsonOf(await response.text()));
  } catch (cause) {
    return { ok: false, error: unreachable(url, 0, cause), isPassing: true, retryAfterMs: 0 };
  }
}

function failure(url: URL, { status, headers }: Response, body: unknown): Extract<Reply, { ok: false }> {
  return {
    ok: false,
    error: errorOf(url, status, body),
    isPassing: PASSING_STATUSES.has(status),
    retryAfterMs: retryAfterMs(headers.get('retry-after'), Date.now()),
  };
}

function initOf({ method, body, token, headers: given = {} }: Request): RequestInit {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) if (value !== undefined) headers[name] = value;
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  if (body === undefined) return { method, headers };
  headers['content-type'] = 'application/json';
  return { method, headers, body: JSON.stringify(body) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorOf(url: URL, status: number, body: unknown): SignalboxError {
  const problem = problemSchema.safeParse(body);
  if (!problem.success) {
    return new SignalboxError(
      'unreachable',
      `the server at ${url.origin} is not Signalbox (status ${status}): set the address with --url or SIGNALBOX_URL`,
      { details: { status } },
    );
  }
  const { code, detail, details, errors } = problem.data;
  if (isErrorCode(code)) {
    return new SignalboxError(code, detail, { details: errors ? { ...details, errors } : { ...details } });
  }
  return new SignalboxError('internal', `${code}: ${detail}`, { details: { ...details, code } });
}

/** A newer Signalbox may have other codes. */
function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

function unreachable(url: URL, timeoutMs: number, cause: unknown): SignalboxError {
  return new SignalboxError(
    'unreachable',
    `Signalbox cannot be reached at ${url.origin} (${reasonOf(cause, timeoutMs)}): start it with "signalbox up", or set another address with --url or SIGNALBOX_URL`,
    { cause, details: { url: url.origin } },
  );
}

/** `fetch` says only that it failed; the reason is the cause of its error. */
function reasonOf(thrown: unknown, timeoutMs: number): string {
  if (!(thrown instanceof Error)) return messageOf(thrown);
  if (thrown.name === 'TimeoutError') return `no answer within ${timeoutMs / 1_000} seconds`;
  const { cause } = thrown;
  if (!(cause instanceof Error)) return thrown.message;
  if (!('code' in cause)) return cause.message;
  return cause.code === 'ECONNREFUSED' ? 'connection refused' : String(cause.code);
}
