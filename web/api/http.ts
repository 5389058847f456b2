/**
 * Requests to Signalbox with the token of this tab. The token is sent in a header, never in an address or a cookie, so
 * that no other page can use it.
 */
import type { Problem } from '../../src/contracts/api/system-answers.ts';
import { session } from '../state/session.ts';

/** A refused request; `status` is 0 if there was no answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(status: number, { code, detail, details }: Pick<Problem, 'code' | 'detail' | 'details'>) {
    super(detail);
    this.status = status;
    this.code = code;
    this.details = details ?? {};
  }
}

/** @throws ApiError if there is no answer */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const token = session.token.value;
  const headers = new Headers(init.headers);
  if (token !== null) headers.set('authorization', `Bearer ${token}`);
  const response = await fetch(path, { ...init, headers, credentials: 'omit', cache: 'no-store' }).catch(
    (error: unknown) => {
      if (init.signal?.aborted) throw error;
      throw new ApiError(0, { code: 'unreachable', detail: 'Signalbox does not answer.' });
    },
  );
  if (response.status === 401) session.refuse(token);
  return response;
}

/** @throws ApiError */
export async function get<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  const response = await request(path, signal ? { signal } : {});
  return (await answerOf(response)) as Answer;
}

/** @throws ApiError */
export function post<Answer>(path: string, body: object = {}): Promise<Answer> {
  return send('POST', path, body);
}

/** @throws ApiError */
export function patch<Answer>(path: string, body: object): Promise<Answer> {
  return send('PATCH', path, body);
}

async function send<Answer>(method: string, path: string, body: object): Promise<Answer> {
  const response = await request(path, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await answerOf(response)) as Answer;
}

async function answerOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  throw new ApiError(response.status, problemIn(text, response.status));
}

function problemIn(text: string, status: number): Pick<Problem, 'code' | 'detail' | 'details'> {
  try {
    const { code, detail, details } = JSON.parse(text) as Problem;
    return details ? { code, detail, details } : { code, detail };
  } catch {
    return { code: 'unreachable', detail: `Signalbox answered with status ${status}.` };
  }
}

/** A path of the API with escaped values: `path\`/api/agents/${id}\``. */
export function path(parts: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return String.raw({ raw: parts }, ...values.map((value) => encodeURIComponent(value)));
}

/** The reason of a failure, for the user. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
