/**
 * Commands over request and reply: a NATS micro service with the operations that HTTP has too.
 *
 * A caller who may publish on the command subjects is an operator: the permissions of the NATS account say who that is.
 * With the header `Authorization: Bearer TOKEN` the caller is the holder of that token, an attempt or a person, and may do
 * what the token allows over HTTP. Every refusal is a problem, as over HTTP, with the headers of a service error. A stop
 * answers the commands in flight and takes no new ones; callers that wait for an update are answered at once.
 */
import { setMaxListeners } from 'node:events';
import { type Service, type ServiceMsg, Svcm } from '@nats-io/services';
import { type MsgHdrs, type NatsConnection, headers as newHeaders } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { principalOf } from '../app/agents/agent-messages.ts';
import type { AppContext } from '../app/context.ts';
import { TaskUpdates } from '../app/events/follow.ts';
import { appServices } from '../app/services.ts';
import { NATS_OPERATOR } from '../contracts/actors.ts';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import {
  type Address,
  anonymous,
  type Caller,
  Gatekeeper,
  type PeopleTokens,
} from '../operations/access/access.ts';
import { PROBLEM_TYPE, problemOf } from '../operations/errors.ts';
import { assertSingle } from '../operations/headers.ts';
import { OPERATIONS } from '../operations/index.ts';
import { type Operation, provides, type Reply } from '../operations/operation.ts';
import { parseJson } from '../operations/parse.ts';
import { perform } from '../operations/perform.ts';
import type { Features, Services } from '../operations/services.ts';
import { inputParts } from '../operations/typed.ts';
import type { AnswerableRequests } from './answerable.ts';
import { type Command, commandOf, namesIn } from './command.ts';

export interface CommandServiceOptions extends Features {
  readonly app: AppContext;
  readonly health: Services['health'];
  /** Refused messages of agents; none if absent. */
  readonly rejected?: Services['rejected'];
  readonly people: PeopleTokens;
  readonly connection: NatsConnection;
  readonly answerable: AnswerableRequests;
  readonly logger: Logger;
  readonly version: string;
  /** Milliseconds that an answer may take. */
  readonly answerTimeoutMs?: number;
}

const NAME = 'signalbox';
const DESCRIPTION = 'Signalbox: tasks for agents. See docs/reference/nats.md.';
const ANSWER_TIMEOUT_MS = 10_000;
const STATUS_HEADER = 'Signalbox-Status';
const REQUEST_ID_LENGTH = 12;
/** The code of a space. Lower ones are line breaks, tabs, and what JSON refuses. */
const BLANK = 0x20;
/** Bytes of a message that are reserved for the headers of a reply. */
const HEADER_BYTES = 4_096;

export class CommandService {
  readonly #options: CommandServiceOptions;
  readonly #service: Service;
  readonly #gatekeeper: Gatekeeper;
  readonly #services: Services;
  readonly #updates: TaskUpdates;
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<void>>();

  private constructor(options: CommandServiceOptions, service: Service) {
    const { app, people, health, audit, webhooks, background, rejected = async () => [] } = options;
    this.#options = options;
    this.#service = service;
    this.#gatekeeper = new Gatekeeper({
      people,
      // A caller with a token has the rights of its holder, and no more.
      mayBeOpen: false,
      principalOf: (token, address) => principalOf(app, token, address),
    });
    this.#updates = new TaskUpdates(app);
    this.#services = { ...appServices(app, this.#updates), health, rejected, audit, webhooks, background };
    // Every command that waits for an update has a listener, which is not a leak.
    setMaxListeners(0, this.#stopping.signal);
  }

  /** @throws what the NATS client throws */
  static async start(options: CommandServiceOptions): Promise<CommandService> {
    const { connection, answerable, version } = options;
    const service = await new Svcm(answerable.only(connection)).add({
      name: NAME,
      version,
      description: DESCRIPTION,
      queue: NAME,
    });
    const commands = new CommandService(options, service);
    commands.#listen();
    return commands;
  }

  /** Takes no more commands, and returns when those in flight are answered. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#service.stop();
    await Promise.all(this.#underWay);
    this.#updates.close();
  }

  /** Adds an endpoint for each operation. */
  #listen(): void {
    for (const operation of OPERATIONS) {
      if (!provides(this.#services, operation.needs)) continue;
      const { name, http } = operation;
      const command = commandOf(operation);
      this.#service.addEndpoint(name, {
        subject: command.subject,
        metadata: { http: `${http.method} ${http.path}` },
        handler: (error, message) => {
          if (error) return this.#options.logger.error({ err: error }, 'a command could not be received');
          const answered = this.#answer(operation, command, message);
          this.#underWay.add(answered);
          void answered.then(() => this.#underWay.delete(answered));
        },
      });
    }
  }

  /** Never rejects. */
  async #answer(operation: Operation, command: Command, message: ServiceMsg): Promise<void> {
    const requestId = this.#options.app.environment.randomId(REQUEST_ID_LENGTH);
    try {
      this.#respond(message, await this.#perform(operation, command, message));
    } catch (thrown) {
      const error =
        thrown instanceof SignalboxError
          ? thrown
          : new SignalboxError('internal', messageOf(thrown), { cause: thrown });
      if (error.code === 'internal') {
        const { name } = operation;
        this.#options.logger.error({ err: thrown, reqId: requestId, command: name }, 'a command failed');
      }
      const problem = problemOf(error, requestId);
      const headers = newHeaders();
      headers.set(STATUS_HEADER, String(problem.status));
      headers.set('content-type', PROBLEM_TYPE);
      // A header must be one line of Latin text, as titles are.
      message.respondError(problem.status, problem.title, JSON.stringify(problem), { headers });
    }
  }

  #perform(operation: Operation, { isOfProject }: Command, message: ServiceMsg): Promise<Reply> {
    const payload = payloadOf(message);
    const input = inputParts(operation, isOfProject ? { ...payload, project: projectOf(message) } : payload);
    const headers = headersOf(message.headers);
    const context = {
      headers,
      caller: this.#admit(operation, headers.authorization, input),
      gone: () => this.#stopping.signal,
      // Only streams check it, and NATS has none.
      isAdmitted: () => true,
    };
    if (isOfProject) refuseProject(payload);
    const { app, answerTimeoutMs: limitMs = ANSWER_TIMEOUT_MS } = this.#options;
    return perform(operation, this.#services, input, context, { clock: app.environment.clock, limitMs });
  }

  /** @throws SignalboxError `unauthorized`, `forbidden` */
  #admit(operation: Operation, authorization: string | undefined, input: Address): Caller {
    if (authorization === undefined) return this.#operator();
    return this.#gatekeeper.admit(operation, authorization, input);
  }

  /** The rights of its NATS user make a caller an operator, but as soon as there are tokens only a token gives a name. */
  #operator(): Caller {
    return this.#options.people.isOpen ? anonymous('admin') : { ...anonymous('admin'), actor: NATS_OPERATOR };
  }

  /** @throws SignalboxError `body_too_large` */
  #respond(message: ServiceMsg, { status, headers: named, body }: Reply): void {
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

/** The subject names the project, and decides who may publish: a payload must not name another. @throws SignalboxError */
function refuseProject(payload: Record<string, unknown>): void {
  if (!Object.hasOwn(payload, 'project')) return;
  const errors = [{ path: 'project', message: 'is not known here: the subject names the project' }];
  throw new SignalboxError('invalid_request', `payload: project: ${errors[0]?.message}`, {
    details: { errors },
  });
}

/** @throws SignalboxError `invalid_request` */
function payloadOf(message: ServiceMsg): Record<string, unknown> {
  const { data } = message;
  if (data.every((byte) => byte <= BLANK)) return {};
  const payload = parseJson(data, 'payload');
  if (typeof payload === 'object' && payload !== null && !Array.isArray(payload)) return { ...payload };
  throw new SignalboxError('invalid_request', 'the payload: expected a JSON object, or nothing');
}

/** @throws SignalboxError `invalid_request` */
function headersOf(headers: MsgHdrs | undefined): Record<string, string> {
  const found: Record<string, string> = {};
  if (headers) assertSingle(namesIn(headers));
  for (const name of headers?.keys() ?? []) found[name.toLowerCase()] = headers?.get(name) ?? '';
  return found;
}
