/** The operations as routes of the HTTP server. */
import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ANONYMOUS } from '../contracts/actors.ts';
import { type ErrorCode, SignalboxError } from '../contracts/errors.ts';
import type { Caller, Gatekeeper } from '../operations/access/access.ts';
import { problemOf } from '../operations/errors.ts';
import type { Operation, Reply } from '../operations/operation.ts';
import { type Limits, perform } from '../operations/perform.ts';
import type { Services } from '../operations/services.ts';
import { explain } from './errors.ts';
import type { RateLimit } from './rate-limit.ts';

export interface RouteOptions extends Limits {
  readonly services: Services;
  readonly gatekeeper: Gatekeeper;
  readonly rateLimit: RateLimit;
  /** Aborted when the server stops. */
  readonly closing: AbortSignal;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The name of the operation that a route serves. */
    operation?: string;
  }
}

type Request = FastifyRequest<{ Params: Readonly<Record<string, string>> }>;

export function addRoute(http: FastifyInstance, operation: Operation, options: RouteOptions): void {
  const { method, path } = operation.http;
  const callers = new WeakMap<Request, Caller>();
  http.route<{ Params: Readonly<Record<string, string>> }>({
    method,
    url: path.replace(/\{(\w+)\}/g, ':$1'),
    config: { operation: operation.name },
    // Before the body is read: a caller that may not use the operation is refused without sending it.
    onRequest: async (request) => {
      callers.set(request, admit(operation, request, options));
    },
    // Also for what is no JSON: then no handler is called.
    ...(operation.isReport && {
      onError: async (request: Request, _reply: FastifyReply, error: Error) =>
        noteReport(options, callers.get(request), explain(error)),
    }),
    handler: async (request, reply) => {
      const { params, query, body = {} } = request;
      const headers = withText(request.headers, 'idempotency-key');
      const context = {
        headers,
        caller: callers.get(request) ?? notAdmitted(),
        // Made on demand: few operations need it, and an abort costs more than the rest of a short answer.
        gone: () => goneSignal(reply, options.closing),
        isAdmitted: () => isAdmitted(operation, request, options),
      };
      const answer = await perform(operation, options.services, { params, query, body }, context, options);
      if (operation.isReport) noteReport(options, callers.get(request), null);
      return answer.stream === undefined
        ? reply.code(answer.status).headers(answer.headers).send(answer.body)
        : stream(request, reply, answer, answer.stream);
    },
  });
}

/** Refusals that say nothing about the report: it is to be sent again, or its attempt is over. */
const NO_REFUSALS: readonly ErrorCode[] = [
  'rate_limited',
  'stale_attempt',
  'unauthorized',
  'forbidden',
  'internal',
];

/** What became of a report of an agent. @param error null if it was accepted */
function noteReport(
  { services }: RouteOptions,
  caller: Caller | undefined,
  error: SignalboxError | null,
): void {
  if (!caller?.attempt) return;
  if (error !== null && (problemOf(error, '').status >= 500 || NO_REFUSALS.includes(error.code))) return;
  services.messages.noteReport(caller.attempt, error?.message ?? null);
}

/** Node reads header fields as Latin-1. A value that was sent as UTF-8 is read as such, as over NATS. */
function withText(headers: IncomingHttpHeaders, name: 'idempotency-key'): IncomingHttpHeaders {
  const value = headers[name];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII.
  if (typeof value !== 'string' || /^[\x00-\x7f]*$/.test(value)) return headers;
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? { ...headers, [name]: bytes.toString() } : headers;
}

/** The caller, whose requests are counted. @throws SignalboxError as `Gatekeeper`, `RateLimit` */
function admit(operation: Operation, request: Request, { gatekeeper, rateLimit }: RouteOptions): Caller {
  let caller: Caller;
  try {
    caller = gatekeeper.admit(operation, request.headers.authorization, request);
  } catch (error) {
    rateLimit.take(request.ip);
    throw error;
  }
  rateLimit.take(caller.actor === ANONYMOUS ? request.ip : caller.actor);
  return caller;
}

function isAdmitted(operation: Operation, request: Request, { gatekeeper }: RouteOptions): boolean {
  try {
    gatekeeper.admit(operation, request.headers.authorization, request);
    return true;
  } catch {
    return false;
  }
}

async function stream(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, headers }: Reply,
  write: NonNullable<Reply['stream']>,
): Promise<FastifyReply> {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(status, { ...headers, 'x-content-type-options': 'nosniff' });
  raw.flushHeaders();
  try {
    await write(raw);
    raw.end();
  } catch (err) {
    request.log.warn({ err }, 'a stream failed');
    raw.destroy();
  }
  return reply;
}

/** Also aborted when the answer ends, so that no listener for the stop of the server is left. */
function goneSignal(reply: FastifyReply, closing: AbortSignal): AbortSignal {
  const gone = new AbortController();
  const abort = (): void => gone.abort();
  closing.addEventListener('abort', abort, { once: true, signal: gone.signal });
  reply.raw.once('close', abort);
  if (closing.aborted) abort();
  return gone.signal;
}

function notAdmitted(): never {
  throw new SignalboxError('internal', 'a request reached its handler without having been admitted');
}
