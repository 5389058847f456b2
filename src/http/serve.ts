/** Operations as routes of the server: the one place where they meet. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../base/environment.ts';
import { withLimit } from '../base/time.ts';
import { SignalboxError } from '../contracts/errors.ts';
import { type Access, ANONYMOUS, type Caller, type Gatekeeper } from '../operations/access/access.ts';
import { throwLate } from '../operations/deadline.ts';
import type { Answer, Declared, PathParams, Serve } from '../operations/operation.ts';
import { parse } from '../operations/parse.ts';
import type { RateLimit } from './rate-limit.ts';

export interface ServeOptions {
  readonly clock: Clock;
  readonly gatekeeper: Gatekeeper;
  readonly rateLimit: RateLimit;
  /** Milliseconds that an answer may take. */
  readonly limitMs: number;
  /** Aborted when the server stops. */
  readonly closing: AbortSignal;
  /** Told of every operation that was added. */
  readonly onServed: (operation: Declared) => void;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The name of the operation that a route is. */
    operation?: string;
  }
}

type Arrived = FastifyRequest<{ Params: PathParams }>;

export function serveOn(http: FastifyInstance, options: ServeOptions): Serve {
  const { clock, limitMs, closing, onServed } = options;
  return (operation) => {
    const { method, path, access, project, address, query, body, invalidBody, handle, patience } = operation;
    onServed(operation as unknown as Declared);
    const callers = new WeakMap<Arrived, Caller>();
    http.route<{ Params: PathParams }>({
      method,
      url: path,
      config: { operation: operation.name },
      // Before a body is read: nobody sends one that may not.
      onRequest: async (request) => {
        callers.set(request, admit(options, access, request, project));
      },
      handler: async (request, reply) => {
        const call = {
          address: address(request.params),
          query: parse(query, request.query, 'query'),
          body: parse(body, request.body === undefined ? {} : request.body, 'body', invalidBody),
          headers: request.headers,
          caller: callers.get(request) ?? notAdmitted(),
          // Made where somebody asks for it: few do, and an abort costs more than the rest of a short answer.
          get gone() {
            return goneSignal(reply, closing);
          },
          isAdmitted: () => isAdmitted(options, access, request, project),
        };
        const limit = limitMs + (patience?.(call.query) ?? 0);
        const answer = await withLimit(handle(call), limit, () => throwLate(method, limit), clock);
        return answer.stream ? stream(request, reply, answer) : send(reply, answer);
      },
    });
  };
}

/** Who asks; and that it does not ask too often, whoever it is. @throws SignalboxError as `Gatekeeper`, `RateLimit` */
function admit(options: ServeOptions, access: Access, request: Arrived, project?: string): Caller {
  const { gatekeeper, rateLimit } = options;
  let caller: Caller;
  try {
    caller = gatekeeper.admit(access, request.headers.authorization, { project, ...request.params });
  } catch (error) {
    rateLimit.take(request.ip);
    throw error;
  }
  rateLimit.take(caller.actor === ANONYMOUS ? request.ip : caller.actor);
  return caller;
}

function isAdmitted(
  { gatekeeper }: ServeOptions,
  access: Access,
  request: Arrived,
  project?: string,
): boolean {
  try {
    gatekeeper.admit(access, request.headers.authorization, { project, ...request.params });
    return true;
  } catch {
    return false;
  }
}

function send(reply: FastifyReply, { status, headers = {}, body }: Answer): FastifyReply {
  reply.code(status).headers(headers);
  return reply.send(body);
}

async function stream(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, headers = {}, stream: write }: Answer,
): Promise<FastifyReply> {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(status, { ...headers, 'x-content-type-options': 'nosniff' });
  raw.flushHeaders();
  try {
    await write?.(raw);
    raw.end();
  } catch (err) {
    request.log.warn({ err }, 'a stream broke off');
    raw.destroy();
  }
  return reply;
}

/** Ends with the answer, so that nothing is left listening for the stop of the server. */
function goneSignal(reply: FastifyReply, closing: AbortSignal): AbortSignal {
  const gone = new AbortController();
  const abort = (): void => gone.abort();
  closing.addEventListener('abort', abort, { once: true, signal: gone.signal });
  reply.raw.once('close', abort);
  if (closing.aborted) abort();
  return gone.signal;
}

function notAdmitted(): never {
  throw new SignalboxError('internal', 'a request came to its handler without having been admitted');
}
