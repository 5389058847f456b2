/**
 * An operation: what a route takes, declared, and what it does with it. Handlers see parsed input and give an answer
 * as data; of the server they know nothing.
 *
 * O1 A handler runs only when ids, query and body are all in order: what is malformed leaves no trace in the log.
 * O2 Every answer comes within the limit. Where a command has no answer by then, its outcome is open, and it is said so.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { SignalboxError } from '../contracts/errors.ts';
import { type ProjectId, projectId, type TaskId, taskId } from '../contracts/ids.ts';
import type { Clock } from '../runtime/environment.ts';
import { within } from './deadline.ts';
import { parse } from './parse.ts';

/** What the path says, decoded. */
export type PathParams = Readonly<Record<string, string>>;

export interface Call<Address, Query, Body> {
  readonly address: Address;
  readonly query: Query;
  readonly body: Body;
  readonly headers: IncomingHttpHeaders;
}

export interface Answer {
  readonly status: number;
  /** In lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; bytes are sent as they are, and the headers say what they are. */
  readonly body?: unknown;
}

export interface Operation<Address, Query, Body> {
  readonly method: 'GET' | 'POST';
  /** With parameters as in `/api/projects/:project`. */
  readonly path: string;
  /** @throws SignalboxError `invalid_id` */
  readonly address: (params: PathParams) => Address;
  readonly query: z.ZodType<Query>;
  readonly body: z.ZodType<Body>;
  readonly handle: (call: Call<Address, Query, Body>) => Promise<Answer>;
}

/** Adds an operation to a server. */
export type Serve = <Address, Query, Body>(operation: Operation<Address, Query, Body>) => void;

/** For operations that take no query, or no body. */
export const nothing = z.strictObject({});

export const nowhere = (): null => null;

export const inProject = (params: PathParams): ProjectId => projectId(params.project ?? '');

export interface TaskAddress {
  readonly project: ProjectId;
  readonly task: TaskId;
}

export const atTask = (params: PathParams): TaskAddress => ({
  project: inProject(params),
  task: taskId(params.task ?? ''),
});

export interface AttemptAddress extends TaskAddress {
  readonly attempt: number;
}

/** @throws SignalboxError `invalid_id`, `invalid_request` */
export const atAttempt = (params: PathParams): AttemptAddress => {
  const { attempt = '' } = params;
  const address = atTask(params);
  if (/^[1-9]\d{0,8}$/.test(attempt)) return { ...address, attempt: Number(attempt) };
  throw new SignalboxError(
    'invalid_request',
    `attempt ${JSON.stringify(attempt.slice(0, 80))}: expected its number, 1 for the first`,
  );
};

/** @param limitMs how long an answer may take */
export function serveOn(http: FastifyInstance, clock: Clock, limitMs: number): Serve {
  return ({ method, path, address, query, body, handle }) => {
    http.route<{ Params: PathParams }>({
      method,
      url: path,
      handler: async (request, reply) => {
        const call = {
          address: address(request.params),
          query: parse(query, request.query, 'query'),
          body: parse(body, request.body === undefined ? {} : request.body, 'body'),
          headers: request.headers,
        };
        const answer = await within(clock, limitMs, handle(call), () => late(method, limitMs));
        reply.code(answer.status).headers(answer.headers ?? {});
        return reply.send(answer.body);
      },
    });
  };
}

function late(method: 'GET' | 'POST', limitMs: number): SignalboxError {
  const what = `the event log has not answered within ${limitMs / 1_000} seconds`;
  if (method === 'GET') return new SignalboxError('log_unavailable', `${what}: try again in a moment`);
  return new SignalboxError(
    'log_unavailable',
    `${what}: the outcome is unknown. Read the task before you repeat this; a creation with the same id or idempotency key may be repeated safely, nothing is created twice`,
    { details: { outcome: 'unknown' } },
  );
}
