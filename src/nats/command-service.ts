/**
 * Commands over request and reply: a NATS micro service with the operations that HTTP has.
 *
 * C1 The operations are the same declarations (http/operation.ts), so both skins take and answer the same.
 * C2 Who may publish on the command subjects is an operator: the permissions of the NATS account say who that is. With the
 *    header `Authorization: Bearer TOKEN` the holder of an attempt token speaks for its attempt, as over HTTP.
 * C3 Every refusal is a problem with a code of the one table, and has the headers of a service error.
 * C4 A stop answers what is under way, and takes nothing new.
 */

import { type Service, type ServiceMsg, Svcm } from '@nats-io/services';
import { type MsgHdrs, type NatsConnection, headers as newHeaders } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import { SYSTEM_PROJECT } from '../contracts/ids.ts';
import { commandSubject } from '../contracts/subjects.ts';
import { within } from '../http/deadline.ts';
import type { Answer, Operation, Serve } from '../http/operation.ts';
import { parse } from '../http/parse.ts';
import { PROBLEM_TYPE, problemOf } from '../http/problem.ts';
import { type Served, serveOperations } from '../http/routes/index.ts';
import { type Command, commandOf } from './command-verb.ts';

export interface CommandServiceOptions extends Served {
  readonly connection: NatsConnection;
  readonly logger: Logger;
  readonly version: string;
  /** Milliseconds that an answer may take. */
  readonly answerTimeoutMs?: number;
}

const NAME = 'signalbox';
const DESCRIPTION = 'Signalbox: tasks for agents. docs/nats.md says how to ask.';
const ANSWER_TIMEOUT_MS = 10_000;
const STATUS_HEADER = 'Signalbox-Status';
const REQUEST_ID_LENGTH = 12;
/** Left free in an answer for its headers. */
const HEADER_BYTES = 4_096;

type Perform = (message: ServiceMsg) => Promise<Answer>;

/** What a verb does: for one project, for all of them or about none, or both. */
interface Verb {
  /** The operations of HTTP that it stands for. */
  readonly http: readonly string[];
  readonly ofProject?: Perform | undefined;
  readonly ofAll?: Perform | undefined;
}

export class CommandService {
  readonly #options: CommandServiceOptions;
  readonly #service: Service;
  readonly #underWay = new Set<Promise<void>>();

  private constructor(options: CommandServiceOptions, service: Service) {
    this.#options = options;
    this.#service = service;
  }

  /** Rejects with what the client rejects with. */
  static async start(options: CommandServiceOptions): Promise<CommandService> {
    const { connection, version } = options;
    const service = await new Svcm(connection).add({
      name: NAME,
      version,
      description: DESCRIPTION,
      queue: NAME,
    });
    const commands = new CommandService(options, service);
    commands.#listen();
    return commands;
  }

  /** Takes no more commands, and returns when those under way are answered. */
  async stop(): Promise<void> {
    await this.#service.stop();
    await Promise.all(this.#underWay);
  }

  /** An endpoint for each verb: the project in the subject says which operation is meant where there are two. */
  #listen(): void {
    const verbs = new Map<string, Verb>();
    const serve: Serve = (operation) => {
      const command = commandOf(operation);
      if (command === null) return;
      const perform: Perform = (message) => this.#perform(operation, command, message);
      const http = `${operation.method} ${operation.path}`;
      const verb = verbs.get(command.verb) ?? { http: [] };
      verbs.set(command.verb, {
        http: [...verb.http, http],
        ofProject: command.isOfProject ? perform : verb.ofProject,
        ofAll: command.isOfProject ? verb.ofAll : perform,
      });
    };
    serveOperations(serve, this.#options);
    for (const [name, verb] of verbs) {
      this.#service.addEndpoint(name, {
        subject: commandSubject(verb.ofProject ? '*' : SYSTEM_PROJECT, name),
        metadata: { http: verb.http.join(', ') },
        handler: (error, message) => {
          if (error) return this.#options.logger.error({ err: error }, 'a command could not be received');
          const answered = this.#answer(name, verb, message);
          this.#underWay.add(answered);
          void answered.then(() => this.#underWay.delete(answered));
        },
      });
    }
  }

  /** Never rejects. */
  async #answer(name: string, { ofProject, ofAll }: Verb, message: ServiceMsg): Promise<void> {
    const requestId = this.#options.app.environment.randomId(REQUEST_ID_LENGTH);
    const perform = (projectOf(message) === SYSTEM_PROJECT ? ofAll : undefined) ?? ofProject ?? ofAll;
    try {
      if (perform) this.#respond(message, await perform(message));
    } catch (thrown) {
      const error =
        thrown instanceof SignalboxError
          ? thrown
          : new SignalboxError('internal', messageOf(thrown), { cause: thrown });
      if (error.code === 'internal') {
        this.#options.logger.error({ err: thrown, reqId: requestId, command: name }, 'a command failed');
      }
      const problem = problemOf(error, requestId);
      const headers = newHeaders();
      headers.set('content-type', PROBLEM_TYPE);
      // A header is one line of Latin text: the title is.
      message.respondError(problem.status, problem.title, JSON.stringify(problem), { headers });
    }
  }

  async #perform<Address, Query, Body>(
    operation: Operation<Address, Query, Body>,
    { params: names, isOfProject }: Command,
    message: ServiceMsg,
  ): Promise<Answer> {
    const { method, address, query, body, handle } = operation;
    const payload = payloadOf(message);
    const params: Record<string, string> = {};
    if (isOfProject) params.project = projectOf(message);
    for (const name of names) {
      params[name] = String(payload[name] ?? '');
      delete payload[name];
    }
    const isRead = method === 'GET';
    const call = {
      address: address(params),
      query: parse(query, isRead ? queryOf(payload) : {}, 'query'),
      body: parse(body, isRead ? {} : payload, 'body'),
      headers: headersOf(message.headers),
    };
    const limit = this.#options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS;
    return within(this.#options.app.environment.clock, limit, handle(call), () => late(isRead, limit));
  }

  /** @throws SignalboxError `body_too_large` */
  #respond(message: ServiceMsg, { status, headers: named = {}, body }: Answer): void {
    const isBytes = body instanceof Uint8Array;
    const payload = isBytes ? body : Buffer.from(body === undefined ? '' : JSON.stringify(body));
    const limit =
      (this.#options.connection.info?.max_payload ?? payload.length + HEADER_BYTES) - HEADER_BYTES;
    if (payload.length > limit) {
      throw new SignalboxError(
        'body_too_large',
        `the answer has ${payload.length} bytes, and a message takes ${limit}: ask for less at once ("limit"), or over HTTP`,
      );
    }
    const headers = newHeaders();
    headers.set(STATUS_HEADER, String(status));
    if (!isBytes) headers.set('content-type', 'application/json');
    for (const [name, value] of Object.entries(named)) headers.set(name, value);
    message.respond(payload, { headers });
  }
}

function projectOf({ subject }: ServiceMsg): string {
  return subject.split('.')[3] ?? '';
}

/** @throws SignalboxError `invalid_request` */
function payloadOf(message: ServiceMsg): Record<string, unknown> {
  const text = message.string();
  if (text.trim() === '') return {};
  let payload: unknown;
  try {
    payload = JSON.parse(text);
  } catch (cause) {
    throw new SignalboxError('invalid_request', `the payload is not JSON: ${messageOf(cause)}`, { cause });
  }
  if (typeof payload === 'object' && payload !== null && !Array.isArray(payload)) return { ...payload };
  throw new SignalboxError('invalid_request', 'the payload: expected a JSON object, or nothing');
}

/** A query is text, as in a URL; here its values may be numbers. */
function queryOf(payload: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const values = Object.entries(payload).map(([name, value]) => {
    const isPlain = typeof value === 'number' || typeof value === 'boolean';
    return [name, isPlain ? String(value) : value];
  });
  return Object.fromEntries(values);
}

function headersOf(headers: MsgHdrs | undefined): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of headers?.keys() ?? []) found[name.toLowerCase()] = headers?.get(name) ?? '';
  return found;
}

function late(isRead: boolean, limitMs: number): SignalboxError {
  const what = `the event log has not answered within ${limitMs / 1_000} seconds`;
  if (isRead) return new SignalboxError('log_unavailable', `${what}: try again in a moment`);
  return new SignalboxError(
    'log_unavailable',
    `${what}: the outcome is unknown. Read the task before you repeat this`,
    {
      details: { outcome: 'unknown' },
    },
  );
}
