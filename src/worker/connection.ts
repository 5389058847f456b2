/**
 * The connection between a worker and Signalbox. A message is stored before it counts as sent, and the connection is
 * opened again whenever it breaks.
 */
import { setMaxListeners } from 'node:events';
import { type JetStreamClient, jetstream } from '@nats-io/jetstream';
import {
  type Authenticator,
  connect,
  type NatsConnection,
  type QueuedIterator,
  type Status,
  type TlsOptions,
} from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { deferred } from '../base/deferred.ts';
import { pause, withLimit } from '../base/time.ts';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import {
  type AgentAnswerMessage,
  type AgentMessageInput,
  answerSchema,
  type CancelMessage,
  cancelSchema,
} from '../contracts/messages/agent-messages.ts';
import {
  type AgentMessageKind,
  agentSubject,
  controlSubject,
  inboxPrefix,
} from '../contracts/messages/subjects.ts';

export interface ConnectionOptions {
  readonly agent: string;
  /** `nats://HOST:PORT`, or several; `tls://` if the server requires it. */
  readonly servers: string | readonly string[];
  /** The credentials of the agent's user; see `readCredentials`. */
  readonly authenticator?: Authenticator | undefined;
  /** The certificate authority of the server, for `tls://`. */
  readonly caFile?: string | undefined;
  /** The same and more: a client certificate, TLS from the first byte on. */
  readonly tls?: TlsOptions | undefined;
}

interface Handlers {
  readonly onAnswer: (answer: AgentAnswerMessage) => void;
  readonly onCancel: (cancel: CancelMessage) => void;
  readonly onReconnect: () => void;
}

/** A message without its id. */
export type MessageBody<Kind extends AgentMessageKind> = Omit<AgentMessageInput<Kind>, 'id' | 'type'>;

const MIN_RETRY_MS = 200;
const MAX_RETRY_MS = 5_000;
const MAX_PUBLISH_MS = 5_000;

const CONNECT_OPTIONS = {
  noAsyncTraces: true,
  maxReconnectAttempts: -1,
  reconnectTimeWait: 250,
  reconnectJitter: 250,
  timeout: 5_000,
  // A connection that has broken silently is noticed after two of these.
  pingInterval: 10_000,
} as const;

export class WorkerConnection {
  readonly client: JetStreamClient;
  readonly #connection: NatsConnection;
  readonly #agent: string;
  readonly #logger: Logger;
  readonly #waiting = new Map<string, (answer: AgentAnswerMessage | null) => void>();
  readonly #statuses: QueuedIterator<Status>;
  readonly #closed = new AbortController();
  /** Aborted when the connection is closed for good. */
  readonly closed: AbortSignal = this.#closed.signal;
  #isUp = true;

  private constructor(connection: NatsConnection, agent: string, logger: Logger, handlers: Handlers) {
    this.#connection = connection;
    this.#agent = agent;
    this.#logger = logger;
    setMaxListeners(0, this.closed);
    // An agent may not query the limits of its account.
    this.client = jetstream(connection, { timeout: MAX_PUBLISH_MS, checkAPI: false });
    // Declared as a plain AsyncIterable, which could not be ended from here.
    this.#statuses = connection.status() as QueuedIterator<Status>;
    this.#subscribe(handlers);
    void this.#follow(handlers);
  }

  /** @throws SignalboxError `nats_unavailable` if the first attempt to connect fails */
  static async open(
    { agent, servers, authenticator, caFile, tls: given }: ConnectionOptions,
    logger: Logger,
    handlers: Handlers,
  ): Promise<WorkerConnection> {
    const tls = caFile === undefined ? given : { caFile, ...given };
    const addresses = [servers].flat();
    try {
      const connection = await connect({
        ...CONNECT_OPTIONS,
        name: `signalbox worker ${agent}`,
        servers: addresses,
        inboxPrefix: inboxPrefix(agent),
        ...(authenticator === undefined ? {} : { authenticator }),
        ...(tls === undefined ? {} : { tls }),
      });
      return new WorkerConnection(connection, agent, logger, handlers);
    } catch (cause) {
      const message = `cannot use the NATS server at ${addresses.join(', ')}: ${messageOf(cause)}`;
      throw new SignalboxError('nats_unavailable', message, { cause });
    }
  }

  /**
   * Returns when the message is in the stream; tries again while the connection is broken. A message that was stored
   * without its sender knowing is not stored twice, and does not count twice (both by its id).
   * @throws SignalboxError `shutting_down` if the connection is closed before
   */
  async store<Kind extends AgentMessageKind>(
    kind: Kind,
    id: string,
    body: MessageBody<Kind>,
    copy = 0,
  ): Promise<void> {
    const payload = JSON.stringify({ id, type: kind, ...body });
    // A copy is stored beside the first message, which may have been read long ago.
    const msgID = copy === 0 ? id : `${id}.${copy}`;
    for (let delayMs = MIN_RETRY_MS; ; delayMs = Math.min(delayMs * 2, MAX_RETRY_MS)) {
      if (this.closed.aborted) throw closedError();
      try {
        await this.client.publish(agentSubject(this.#agent, kind), payload, { msgID });
        return;
      } catch (error) {
        this.#logger.debug({ err: error, kind, id }, `message not stored yet: ${messageOf(error)}`);
        await pause(delayMs, this.closed);
      }
    }
  }

  /**
   * Stores the message and returns the answer; asks again if there is none after `limitMs`.
   * @throws SignalboxError `shutting_down` if the connection is closed before
   */
  async ask<Kind extends AgentMessageKind>(
    kind: Kind,
    id: string,
    body: MessageBody<Kind>,
    limitMs: number,
  ): Promise<AgentAnswerMessage> {
    for (let copy = 0; ; copy++) {
      const answered = deferred<AgentAnswerMessage | null>();
      this.#waiting.set(id, answered.resolve);
      try {
        await this.store(kind, id, body, copy);
        const answer = await withLimit(answered.promise, limitMs, () => null);
        if (answer) return answer;
        if (this.closed.aborted) throw closedError();
      } finally {
        this.#waiting.delete(id);
      }
    }
  }

  /** Sends a message that is useless later: it is dropped while the connection is broken, and may not be stored. */
  sendOnce<Kind extends AgentMessageKind>(kind: Kind, id: string, body: MessageBody<Kind>): void {
    if (!this.#isUp || this.#connection.isClosed()) return;
    this.#connection.publish(agentSubject(this.#agent, kind), JSON.stringify({ id, type: kind, ...body }));
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#statuses.stop();
    for (const resolve of this.#waiting.values()) resolve(null);
    if (!this.#connection.isClosed()) await this.#connection.flush().catch(() => {});
    await this.#connection.close();
  }

  #subscribe({ onAnswer, onCancel }: Handlers): void {
    this.#connection.subscribe(controlSubject(this.#agent, '>'), {
      callback: (error, message) => {
        if (error) {
          this.#logger.warn({ err: error }, `cannot receive from Signalbox: ${messageOf(error)}`);
          return;
        }
        const content = jsonOf(message);
        const answer = answerSchema.safeParse(content);
        if (answer.success) {
          this.#waiting.get(answer.data.id)?.(answer.data);
          return onAnswer(answer.data);
        }
        const cancel = cancelSchema.safeParse(content);
        if (cancel.success) onCancel(cancel.data);
      },
    });
  }

  async #follow({ onReconnect }: Handlers): Promise<void> {
    for await (const status of this.#statuses) {
      if (status.type === 'disconnect') {
        this.#isUp = false;
        this.#logger.warn('lost the connection to NATS; reconnecting');
      }
      if (status.type === 'error') {
        this.#logger.error({ err: status.error }, `error from NATS: ${messageOf(status.error)}`);
      }
      if (status.type !== 'reconnect') continue;
      this.#isUp = true;
      this.#logger.info('reconnected to NATS');
      onReconnect();
    }
  }
}

/** The content of a message; null if it is not JSON. */
export function jsonOf(message: { json(): unknown }): unknown {
  try {
    return message.json();
  } catch {
    return null;
  }
}

function closedError(): SignalboxError {
  return new SignalboxError('shutting_down', 'the worker has stopped');
}
