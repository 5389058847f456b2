/**
 * An operation: what a route takes and what it may answer, declared, and what it does. Handlers see parsed input and
 * give an answer as data; of the server they know nothing. The OpenAPI document is made of the same declarations.
 *
 * O1 A handler runs only when the caller may do this, and ids, query and body are all in order: what is refused or
 *    malformed leaves no trace in the log.
 * O2 Every answer comes within the limit. Where a command has no answer by then, its outcome is open, and it is said so.
 * O3 An operation answers with no status that it does not declare.
 */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { ErrorCode } from '../contracts/errors.ts';
import { SignalboxError } from '../contracts/errors.ts';
import { checkedId, type ProjectId, projectId, type TaskId, taskId } from '../contracts/ids.ts';
import type { Access, Caller } from './access/access.ts';

/** What the path says, decoded. */
export type PathParams = Readonly<Record<string, string>>;

export interface Call<Address, Query, Body> {
  readonly address: Address;
  readonly query: Query;
  readonly body: Body;
  readonly headers: IncomingHttpHeaders;
  readonly caller: Caller;
  /** Aborted when the client has gone away or the server stops: an answer that waits for something comes now. */
  readonly gone: AbortSignal;
  /** Whether the caller may still do this; asked again and again by answers without end. */
  readonly isAdmitted: () => boolean;
}

export interface Answer {
  readonly status: number;
  /** In lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; bytes are sent as they are, and the headers say what they are. */
  readonly body?: unknown;
  /** Instead of a body: writes as long as the promise is open. */
  readonly stream?: (out: ServerResponse) => Promise<void>;
}

/** What an answer holds, for the document and the tests. */
export interface Content {
  readonly description: string;
  /** Of the JSON; absent where the body is something else, or nothing. */
  readonly schema?: z.ZodType;
  /** `application/json` where there is a schema and nothing is said. */
  readonly mediaType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const GROUPS = {
  Jobs: 'The plain job API: hand in a task, ask for its result.',
  Tasks: 'The blackboard: tasks with everything that is known of them.',
  Decisions: 'What an operator decides about a task.',
  Agents: 'Who takes tasks, what each is doing, and its words about its attempt.',
  Attempts: 'Each try of an agent on a task.',
  Queues: 'What waits, and what was given up.',
  Background: 'Shell commands that run by themselves, and whose results are fetched in passing.',
  Events: 'The log as it grows, and where it is sent.',
  System: 'Signalbox itself.',
} as const;
export type Group = keyof typeof GROUPS;

export interface Operation<Address, Query, Body> {
  /** `operationId` in the document; unique. */
  readonly name: string;
  readonly group: Group;
  readonly summary: string;
  readonly access: Access;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** The project that it is about, where the path does not say. */
  readonly project?: string;
  /** With parameters as in `/api/projects/:project`. */
  readonly path: string;
  /** @throws SignalboxError `invalid_id` */
  readonly address: (params: PathParams) => Address;
  readonly query: z.ZodType<Query>;
  readonly body: z.ZodType<Body>;
  /** The code of a body that does not fit; `invalid_request` where it is absent. */
  readonly invalidBody?: ErrorCode;
  /** Of the body, as a client would send it. */
  readonly example?: unknown;
  /** Header fields that mean something here, with what they mean. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Every answer that is no refusal, by status. */
  readonly answers: Readonly<Record<number, Content>>;
  /** What it refuses beside what every operation does (refusals.ts). */
  readonly refusals?: readonly ErrorCode[];
  /** Milliseconds that the caller wants it to wait, beyond the limit of every answer. */
  readonly patience?: (query: Query) => number;
  readonly handle: (call: Call<Address, Query, Body>) => Promise<Answer>;
}

/** An operation as far as it is declared. */
export type Declared = Omit<Operation<unknown, unknown, unknown>, 'address' | 'handle' | 'patience'>;

/** Adds an operation to a server. */
export type Serve = <Address, Query, Body>(operation: Operation<Address, Query, Body>) => void;

/** For operations that take no query, or no body. */
export const nothing = z.strictObject({});

export const nowhere = (): null => null;

export const json = (schema: z.ZodType, description: string, headers?: Content['headers']): Content => ({
  description,
  schema,
  ...(headers === undefined ? {} : { headers }),
});

export const NOT_MODIFIED: Content = { description: 'It is still what If-None-Match names.' };
export const ETAG = { ETag: 'Names this state of it, for If-None-Match.' } as const;
export const IF_NONE_MATCH = {
  'If-None-Match': 'The ETag of what is known already: 304 where it still holds.',
};

export const inProject = (params: PathParams): ProjectId => projectId(params.project ?? '');

/** Where the path names something that is neither a project, a task nor an agent. */
export const idParam =
  (name: string) =>
  (params: PathParams): string =>
    checkedId(name, params[name] ?? '');

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
