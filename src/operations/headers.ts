/** Header fields that operations read and answer with: entity tags, long polls, idempotency keys, trace context. */
import type { IncomingHttpHeaders } from 'node:http';
import { type IncomingTrace, incomingTrace } from '../base/trace-context.ts';
import { type CreateTask, createTaskSchema } from '../contracts/api/requests.ts';
import { SignalboxError } from '../contracts/errors.ts';
import { type CallContext, type Content, Reply } from './operation.ts';
import { parse } from './parse.ts';
import type { UpdateWait } from './services.ts';

/**
 * Header fields of a request that have one value. Two programs on its way, such as a proxy and Signalbox, may each take
 * another one of two. Fields that are not here are lists, or are not read.
 */
const SINGLE: ReadonlySet<string> = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'host',
  'idempotency-key',
  'last-event-id',
  'mcp-protocol-version',
  'mcp-session-id',
  'nats-msg-id',
  'origin',
  'transfer-encoding',
]);

/**
 * @param names of all header fields of a request, each as often as it was sent
 * @throws SignalboxError `invalid_request` for one that was sent twice and has one value
 */
export function assertSingle(names: Iterable<string>): void {
  const seen = new Set<string>();
  for (const sent of names) {
    const name = sent.toLowerCase();
    if (!SINGLE.has(name)) continue;
    if (seen.has(name)) {
      throw new SignalboxError('invalid_request', `the request has the header ${sent} twice: send it once`);
    }
    seen.add(name);
  }
}

export const ETAG = { ETag: 'Version of the answer, for If-None-Match.' } as const;
export const IF_NONE_MATCH = {
  'If-None-Match': 'The ETag of an earlier answer: 304 if it is unchanged.',
} as const;
export const NOT_MODIFIED: Content = { description: 'Unchanged since the ETag in If-None-Match.' };

/** For operations that create something: the attempts belong to the caller's trace. */
export const TRACE_HEADERS = {
  traceparent: 'W3C Trace Context: the attempts belong to this trace. Ignored if it is malformed.',
  tracestate: 'Sent with traceparent, and passed on.',
} as const;

/** Milliseconds that a query with `wait` asks to wait. */
export const waitMs = ({ wait }: { readonly wait: number }): number => wait * 1_000;

/** With If-None-Match the wait ends when the tag changes, without it when the task is settled. */
export function updateWait(
  query: { readonly wait: number },
  { headers, gone }: Pick<CallContext, 'headers' | 'gone'>,
): UpdateWait {
  const known = headers['if-none-match'];
  const isKnown = known === undefined ? undefined : (etag: string) => isCurrent(etag, known);
  return { waitMs: waitMs(query), isKnown, gone: gone() };
}

/** 200 with what `read` gives, or 304 if the client has it already. */
export async function tagged<Body>(
  etag: string,
  headers: IncomingHttpHeaders,
  read: () => Body | Promise<Body>,
): Promise<Reply<Body>> {
  const tag = { etag, 'cache-control': 'private, no-cache' };
  if (isCurrent(etag, headers['if-none-match'])) return new Reply(304, { headers: tag });
  return new Reply(200, { headers: tag, body: await read() });
}

/** Whether `If-None-Match` names the tag, or any at all (`*`). */
function isCurrent(tag: string, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  const names = ifNoneMatch.split(',').map((name) => name.trim());
  return names.some((name) => name === '*' || opaque(name) === opaque(tag));
}

function opaque(tag: string): string {
  return tag.replace(/^W\//, '');
}

/** @throws SignalboxError `invalid_request` */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | undefined {
  return parse(createTaskSchema.shape.idempotency_key, headers['idempotency-key'], 'Idempotency-Key');
}

/** The header is another way to write the field. @throws SignalboxError `invalid_request` if they differ */
export function withIdempotencyKey(request: CreateTask, headers: IncomingHttpHeaders): CreateTask {
  const key = idempotencyKeyOf(headers);
  if (key === undefined || key === request.idempotency_key) return request;
  if (request.idempotency_key !== undefined) {
    throw new SignalboxError(
      'invalid_request',
      'the header Idempotency-Key and the field "idempotency_key" differ: send one of them',
    );
  }
  return { ...request, idempotency_key: key };
}

export function traceIn({ traceparent, tracestate }: IncomingHttpHeaders): IncomingTrace {
  return incomingTrace(traceparent, tracestate);
}
