/**
 * What an operation is: name, access, HTTP mapping, schemas of its input and answers, errors, and handler, in one declaration.
 * The HTTP routes, the OpenAPI and AsyncAPI documents, the NATS service and the typed client are derived from it.
 *
 * Invariant operations/refused-leaves-no-trace: a handler runs only after the caller was admitted and path, query and
 * body are valid, so that a refused or malformed request writes nothing to the log.
 */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { z } from 'zod';
import { type ErrorCode, SignalboxError } from '../contracts/errors.ts';
import type { Access, Caller } from './access/access.ts';
import { parse, parseQuery } from './parse.ts';
import type { OptionalService, Services } from './services.ts';

export const GROUPS = {
  Jobs: 'The plain job API: create a task, read its result.',
  Tasks: 'The blackboard: tasks and everything that is known about them.',
  Decisions: "An operator's decisions about a task.",
  Agents: 'The agents, what each is doing, and their messages about their attempts.',
  Questions: 'Questions of agents, and their answers.',
  Attempts: 'Attempts of agents on tasks, with logs and processes.',
  Queues: 'Waiting tasks, and dead letters.',
  Workspaces: 'Where the work of tasks is, and what it has changed.',
  Schedules: 'Tasks that are created at set times.',
  Usage: 'What agents have used: tokens and cost.',
  Background: 'Shell commands that run in the background.',
  Events: 'Streams of events, and webhooks.',
  System: 'Signalbox itself.',
} as const;
export type Group = keyof typeof GROUPS;

/** Services that only an HTTP server has: NATS has no streams, and does not serve documents. */
export const HTTP_SERVICES = ['streams', 'metrics', 'documents'] as const;

/** What an answer holds. */
export interface Content {
  readonly description: string;
  /** Of the JSON; absent if the body is something else, or nothing. */
  readonly schema?: z.ZodType;
  /** `application/json` if there is a schema. */
  readonly mediaType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Every answer that is not an error, by status. */
export type Answers = Readonly<Record<number, Content>>;

/** The JSON that these answers hold; bytes, if they have no schema. */
export type BodyOf<A extends Answers> = {
  [Status in keyof A]: A[Status] extends { readonly schema: infer Schema extends z.ZodType }
    ? z.output<Schema>
    : Uint8Array;
}[keyof A];

type Sendable<T> = T extends Uint8Array
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Sendable<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Sendable<T[Key]> }
      : T;

interface ReplyFields<Body> {
  /** In lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; bytes are sent as they are, and the headers say what they are. */
  readonly body?: Body;
  /** Instead of a body: writes until the promise is settled. */
  readonly stream?: (out: ServerResponse) => Promise<void>;
}

/** An answer with its status and headers. A handler that needs neither returns the body. */
export class Reply<Body = unknown> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body | undefined;
  readonly stream: ((out: ServerResponse) => Promise<void>) | undefined;

  constructor(status: number, { headers = {}, body, stream }: ReplyFields<Body>) {
    this.status = status;
    this.headers = headers;
    this.body = body;
    this.stream = stream;
  }
}

/** Path parameters, query and body, not validated yet. */
export interface RawInput {
  readonly params: Readonly<Record<string, string>>;
  readonly query: unknown;
  readonly body: unknown;
}

/** What a handler gets beside the input. */
export interface CallContext {
  readonly headers: IncomingHttpHeaders;
  readonly caller: Caller;
  /** Aborted when the client has gone away or the server stops: a handler that waits for something answers now. */
  readonly gone: () => AbortSignal;
  /** Whether the caller may still do this; streams check it again before they send. */
  readonly isAdmitted: () => boolean;
}

export interface Call<Params, Query, Body> extends CallContext {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
}

type ObjectSchema = z.ZodType<unknown, Record<string, unknown>>;

/** The schemas of an operation's input. */
export interface Input<
  Params extends ObjectSchema = ObjectSchema,
  Query extends ObjectSchema = ObjectSchema,
  Body extends ObjectSchema = ObjectSchema,
> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
}

/** What is known about an operation without running it. */
interface Facts {
  /** Unique; the `operationId` in OpenAPI, the command in NATS, and the method of the client. */
  readonly name: string;
  readonly group: Group;
  readonly summary: string;
  readonly access: Access;
  /** The path has parameters as in `/api/projects/{project}`. */
  readonly http: { readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'; readonly path: string };
  /** The project, if the path has none. */
  readonly project?: string;
  /** An agent gives its result by it: if it is refused, and no other one is accepted, the attempt has none. */
  readonly isReport?: true;
  /**
   * The query names the project, and the answer has nothing of another one: an attempt may ask for its own, which is
   * meant if it names none.
   */
  readonly isProjectInQuery?: true;
  readonly input: Input;
  /** The code for a body that does not match the schema; `invalid_request` if absent. */
  readonly invalidBody?: ErrorCode;
  /** A body as a client would send it. */
  readonly example?: unknown;
  /** Header fields that the operation reads, with their meaning. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly answers: Answers;
  /** Error codes beside those that every operation may answer with (errors.ts). */
  readonly errors?: readonly ErrorCode[];
}

interface Declaration<
  Name extends string,
  Params extends ObjectSchema,
  Query extends ObjectSchema,
  Body extends ObjectSchema,
  A extends Answers,
  Needs extends OptionalService,
> extends Facts {
  readonly name: Name;
  readonly input: Input<Params, Query, Body>;
  readonly answers: A;
  /** The operation is offered only by servers that have this service. */
  readonly needs?: Needs;
  /** Milliseconds that the caller asks it to wait, beyond the time limit of every answer. */
  readonly waitMs?: (query: z.output<Query>) => number;
  /** Whether sending this request twice does no more than sending it once. Reads and deletions always are. */
  readonly isIdempotent?: (body: z.output<Body>) => boolean;
  readonly handle: (
    services: Services & Required<Pick<Services, Needs>>,
    call: Call<z.output<Params>, z.output<Query>, z.output<Body>>,
  ) => Handled<A> | Promise<Handled<A>>;
}

type Handled<A extends Answers> = Sendable<BodyOf<A>> | Reply<Sendable<BodyOf<A>>>;

/** Valid input, ready to be handled. */
export interface Accepted {
  /** Milliseconds that it may wait beyond the time limit of every answer. */
  readonly waitMs: number;
  run(services: Services, context: CallContext): Promise<Reply>;
}

/** An operation of any kind. */
export interface Operation extends Facts {
  readonly needs: OptionalService | undefined;
  /** @throws SignalboxError `invalid_id`, `invalid_request`, or the code of `invalidBody` */
  accept(raw: RawInput): Accepted;
  /** Whether sending a request with this body twice does no more than sending it once. */
  isIdempotent(body: unknown): boolean;
  /** @throws SignalboxError `invalid_request` */
  waitMs(query: unknown): number;
}

/** An operation whose name, input and answers the type system knows. */
export interface TypedOperation<
  Name extends string,
  I extends Input,
  A extends Answers,
  Needs extends OptionalService,
> extends Operation {
  readonly name: Name;
  readonly input: I;
  readonly answers: A;
  readonly needs: Needs | undefined;
}

export function operation<
  const Name extends string,
  Params extends ObjectSchema,
  Query extends ObjectSchema,
  Body extends ObjectSchema,
  A extends Answers,
  Needs extends OptionalService = never,
>(
  declared: Declaration<Name, Params, Query, Body, A, Needs>,
): TypedOperation<Name, Input<Params, Query, Body>, A, Needs> {
  const { input, answers, invalidBody, needs, handle } = declared;
  const [usual = 200] = Object.keys(answers).map(Number);
  return {
    ...declared,
    needs,
    accept: (raw) => {
      const params = parse(input.params, raw.params, 'path', 'invalid_id');
      const query = parseQuery(input.query, raw.query);
      const body = parse(input.body, raw.body, 'body', invalidBody);
      return {
        waitMs: declared.waitMs?.(query) ?? 0,
        run: async (services, context) => {
          if (!provides(services, needs)) throw notOffered(declared.name);
          const handled = await handle(services, { ...context, params, query, body });
          return handled instanceof Reply ? handled : new Reply(usual, { body: handled });
        },
      };
    },
    isIdempotent: (body) => {
      const valid = input.body.safeParse(body);
      return valid.success && (declared.isIdempotent?.(valid.data) ?? false);
    },
    waitMs: (query) => declared.waitMs?.(parseQuery(input.query, query)) ?? 0,
  };
}

/** Whether a server with these services can offer an operation that needs this one. */
export function provides<Needs extends OptionalService>(
  services: Services,
  needs: Needs | undefined,
): services is Services & Required<Pick<Services, Needs>> {
  return needs === undefined || services[needs] !== undefined;
}

/** Whether requests have a body. */
export function takesBody({ http: { method } }: Pick<Operation, 'http'>): boolean {
  return method === 'POST' || method === 'PATCH';
}

/** The names of the parameters in the path of an operation. */
export function paramNames(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
}

function notOffered(name: string): SignalboxError {
  return new SignalboxError('internal', `operation ${name} was called on a server that does not offer it`);
}

/** For operations that take no query, or no body. */
export const nothing = z.strictObject({});
export const NO_INPUT = { params: nothing, query: nothing, body: nothing } as const;

export function json<Schema extends z.ZodType>(
  schema: Schema,
  description: string,
  headers: Content['headers'] = {},
): Content & { readonly schema: Schema } {
  return { description, schema, headers };
}
