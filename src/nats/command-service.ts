/**
 * Commands over request and reply: a NATS micro service with the operations that HTTP has.
 *
 * C1 The operations are the same declarations (http/operation.ts), so both skins take and answer the same.
 * C2 Who may publish on the command subjects is an operator: the permissions of the NATS account say who that is. With the
 *    header `Authorization: Bearer TOKEN` it is the holder of that token, an attempt or a person, and may do what that one
 *    may do over HTTP, and no more.
 * C3 Every refusal is a problem with a code of the one table, and has the headers of a service error.
 * C4 A stop answers what is under way, and takes nothing new. Who waits for news is answered at once.
 */

import { setMaxListeners } from 'node:events';
import { type Service, type ServiceMsg, Svcm } from '@nats-io/services';
import { type MsgHdrs, type NatsConnection, headers as newHeaders } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { speakerOf } from '../app/agents/speaker.ts';
import { TaskNews } from '../app/events/task-news.ts';
import { withLimit } from '../base/time.ts';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import { anonymous, type Caller, Gatekeeper, type PeopleTokens } from '../operations/access/access.ts';
import { throwLate } from '../operations/deadline.ts';
import type { Answer, Operation, PathParams, Serve } from '../operations/operation.ts';
import { parse } from '../operations/parse.ts';
import { PROBLEM_TYPE, problemOf } from '../operations/problem.ts';
import { type Served, serveOperations } from '../operations/routes/index.ts';
import { type Command, commandOf } from './command.ts';

export interface CommandServiceOptions extends Omit<Served, 'news' | 'http'> {
  readonly people: PeopleTokens;
  readonly connection: NatsConnection;
  readonly logger: Logger;
  readonly version: string;
  /** Milliseconds that an answer may take. */
  readonly answerTimeoutMs?: number;
}

const NAME = 'signalbox';
const DESCRIPTION = 'Signalbox: tasks for agents. docs/reference/nats.md says how to ask.';
const ANSWER_TIMEOUT_MS = 10_000;
const STATUS_HEADER = 'Signalbox-Status';
const REQUEST_ID_LENGTH = 12;
/** Left free in an answer for its headers. */
const HEADER_BYTES = 4_096;

type Perform = (message: ServiceMsg) => Promise<Answer>;

export class CommandService {
  readonly #options: CommandServiceOptions;
  readonly #service: Service;
  readonly #gatekeeper: Gatekeeper;
  readonly #news: TaskNews;
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<void>>();

  private constructor(options: CommandServiceOptions, service: Service) {
    const { app, people } = options;
    this.#options = options;
    this.#service = service;
    this.#gatekeeper = new Gatekeeper({
      people,
      // Who shows a token wants to be no more than its holder.
      mayBeOpen: false,
      speakerOf: (token, address) => speakerOf(app, token, address),
    });
    this.#news = new TaskNews(app);
    // Every command that waits for news listens: that is no leak.
    setMaxListeners(0, this.#stopping.signal);
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
    this.#stopping.abort();
    await this.#service.stop();
    await Promise.all(this.#underWay);
    this.#news.close();
  }

  /** An endpoint for each operation. */
  #listen(): void {
    const serve: Serve = (operation) => {
      const { name, method, path } = operation;
      const command = commandOf(operation);
      const perform: Perform = (message) => this.#perform(operation, command, message);
      this.#service.addEndpoint(name, {
        subject: command.subject,
        metadata: { http: `${method} ${path}` },
        handler: (error, message) => {
          if (error) return this.#options.logger.error({ err: error }, 'a command could not be received');
          const answered = this.#answer(name, perform, message);
          this.#underWay.add(answered);
          void answered.then(() => this.#underWay.delete(answered));
        },
      });
    };
    serveOperations(serve, { ...this.#options, news: this.#news });
  }

  /** Never rejects. */
  async #answer(name: string, perform: Perform, message: ServiceMsg): Promise<void> {
    const requestId = this.#options.app.environment.randomId(REQUEST_ID_LENGTH);
    try {
      this.#respond(message, await perform(message));
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
    const { method, address, query, body, invalidBody, patience, handle } = operation;
    const payload = payloadOf(message);
    const params: Record<string, string> = {};
    if (isOfProject) params.project = projectOf(message);
    for (const name of names) {
      params[name] = String(payload[name] ?? '');
      delete payload[name];
    }
    const headers = headersOf(message.headers);
    const caller = this.#admit(operation, headers.authorization, params);
    const takesBody = method === 'POST';
    const call = {
      address: address(params),
      query: parse(query, takesBody ? {} : queryOf(payload), 'query'),
      body: parse(body, takesBody ? payload : {}, 'body', invalidBody),
      headers,
      caller,
      gone: this.#stopping.signal,
      // Of interest to answers without end only, and there are none here.
      isAdmitted: () => true,
    };
    const { app, answerTimeoutMs = ANSWER_TIMEOUT_MS } = this.#options;
    const limit = answerTimeoutMs + (patience?.(call.query) ?? 0);
    return withLimit(handle(call), limit, () => throwLate(method, limit), app.environment.clock);
  }

  /** C2. @throws SignalboxError `unauthorized`, `forbidden` */
  #admit(
    { access, project }: Pick<Operation<never, never, never>, 'access' | 'project'>,
    authorization: string | undefined,
    params: PathParams,
  ): Caller {
    if (authorization === undefined) return anonymous('admin');
    return this.#gatekeeper.admit(access, authorization, { project, ...params });
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
