/**
 * The line between a worker and Signalbox: what is said is stored before it counts as said, and the connection is dialled
 * again without end.
 *
 * L1 `store` returns when the message is in the stream. While the connection is broken it tries on; what was stored without
 *    its sender having learned it is not stored twice (the message id), and would not count twice (A2 of agent-messages.ts).
 * L2 `ask` returns with the answer. A question whose answer was lost is asked again.
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
import { pause } from '../base/time.ts';
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

export interface LineOptions {
  readonly agent: string;
  /** `nats://HOST:PORT`, or several. */
  readonly servers: string | readonly string[];
  readonly authenticator?: Authenticator | undefined;
  /** Of the server's certificate, for `tls://`. */
  readonly caFile?: string | undefined;
  /** The same and more: a certificate of one's own, TLS from the first byte on. */
  readonly tls?: TlsOptions | undefined;
  readonly logger: Logger;
}

export interface LineHandlers {
  readonly onAnswer: (answer: AgentAnswerMessage) => void;
  readonly onCancel: (cancel: CancelMessage) => void;
  readonly onReconnect: () => void;
}

/** What is said, without its id. */
export type Said<Kind extends AgentMessageKind> = Omit<AgentMessageInput<Kind>, 'id' | 'type'>;

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 5_000;
const PUBLISH_TIMEOUT_MS = 5_000;

const CONNECT_OPTIONS = {
  noAsyncTraces: true,
  maxReconnectAttempts: -1,
  reconnectTimeWait: 250,
  reconnectJitter: 250,
  timeout: 5_000,
  // A connection that has broken without a word is noticed after two of these.
  pingInterval: 10_000,
} as const;

export class Line {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly #options: LineOptions;
  readonly #waiting = new Map<string, (answer: AgentAnswerMessage) => void>();
  readonly #statuses: QueuedIterator<Status>;
  readonly #gone = new AbortController();
  #isUp = true;

  private constructor(connection: NatsConnection, options: LineOptions, handlers: LineHandlers) {
    this.connection = connection;
    setMaxListeners(0, this.#gone.signal);
    // An agent may not ask what the account is allowed.
    this.client = jetstream(connection, { timeout: PUBLISH_TIMEOUT_MS, checkAPI: false });
    this.#options = options;
    // Declared as a bare AsyncIterable, which could not be ended from here.
    this.#statuses = connection.status() as QueuedIterator<Status>;
    this.#listen(handlers);
    void this.#follow(handlers);
  }

  /** @throws SignalboxError `nats_unavailable` where the first dial fails */
  static async open(options: LineOptions, handlers: LineHandlers): Promise<Line> {
    const { agent, servers, authenticator, caFile } = options;
    const tls = caFile === undefined ? options.tls : { caFile, ...options.tls };
    try {
      const connection = await connect({
        ...CONNECT_OPTIONS,
        name: `signalbox worker ${agent}`,
        servers: [servers].flat(),
        inboxPrefix: inboxPrefix(agent),
        ...(authenticator === undefined ? {} : { authenticator }),
        ...(tls === undefined ? {} : { tls }),
      });
      return new Line(connection, options, handlers);
    } catch (cause) {
      throw new SignalboxError(
        'nats_unavailable',
        `the NATS server at ${[servers].flat().join(', ')} cannot be used: ${messageOf(cause)}`,
        { cause },
      );
    }
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Aborted when the line is closed. */
  get closed(): AbortSignal {
    return this.#gone.signal;
  }

  /** @throws SignalboxError `shutting_down` where the line is closed before it is stored */
  async store<Kind extends AgentMessageKind>(
    kind: Kind,
    id: string,
    said: Said<Kind>,
    copy = 0,
  ): Promise<void> {
    const payload = JSON.stringify({ id, type: kind, ...said });
    // A copy is stored beside the first, which may be in the stream, and heard, for long.
    const msgID = copy === 0 ? id : `${id}.${copy}`;
    for (let delay = FIRST_RETRY_MS; ; delay = Math.min(delay * 2, LAST_RETRY_MS)) {
      if (this.#gone.signal.aborted) throw closedError();
      try {
        await this.client.publish(agentSubject(this.#options.agent, kind), payload, { msgID });
        return;
      } catch (error) {
        this.#options.logger.debug({ err: error, kind, id }, `not stored yet: ${messageOf(error)}`);
        await pause(delay, this.#gone.signal);
      }
    }
  }

  /** @throws SignalboxError `shutting_down` where the line is closed before the answer */
  async ask<Kind extends AgentMessageKind>(
    kind: Kind,
    id: string,
    said: Said<Kind>,
    patienceMs: number,
  ): Promise<AgentAnswerMessage> {
    for (let copy = 0; ; copy++) {
      const answered = this.#answerTo(id, patienceMs);
      try {
        await this.store(kind, id, said, copy);
      } catch (error) {
        answered.cancel();
        throw error;
      }
      const answer = await answered.promise;
      if (answer) return answer;
      if (this.#gone.signal.aborted) throw closedError();
    }
  }

  /** Says something that is of no use later: not sent while the connection is broken, and not stored by all means. */
  mention<Kind extends AgentMessageKind>(kind: Kind, id: string, said: Said<Kind>): void {
    if (!this.#isUp || this.connection.isClosed()) return;
    this.connection.publish(
      agentSubject(this.#options.agent, kind),
      JSON.stringify({ id, type: kind, ...said }),
    );
  }

  async close(): Promise<void> {
    this.#gone.abort();
    this.#statuses.stop();
    for (const settle of [...this.#waiting.values()]) settle({ type: 'answer', id: '', ok: false });
    if (!this.connection.isClosed()) await this.connection.flush().catch(() => {});
    await this.connection.close();
  }

  #answerTo(
    id: string,
    patienceMs: number,
  ): { readonly promise: Promise<AgentAnswerMessage | null>; readonly cancel: () => void } {
    let cancel = (): void => {};
    const promise = new Promise<AgentAnswerMessage | null>((resolve) => {
      const settle = (answer: AgentAnswerMessage | null): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(this.#gone.signal.aborted ? null : answer);
      };
      const timer = setTimeout(() => settle(null), patienceMs);
      this.#waiting.set(id, settle);
      cancel = () => settle(null);
    });
    return { promise, cancel };
  }

  #listen({ onAnswer, onCancel }: LineHandlers): void {
    const { agent, logger } = this.#options;
    this.connection.subscribe(controlSubject(agent, '>'), {
      callback: (error, message) => {
        if (error) return logger.warn({ err: error }, `Signalbox cannot be heard: ${messageOf(error)}`);
        const text = textOf(message);
        const answer = answerSchema.safeParse(text);
        if (answer.success) {
          this.#waiting.get(answer.data.id)?.(answer.data);
          return onAnswer(answer.data);
        }
        const cancel = cancelSchema.safeParse(text);
        if (cancel.success) onCancel(cancel.data);
      },
    });
  }

  async #follow({ onReconnect }: LineHandlers): Promise<void> {
    const { logger } = this.#options;
    for await (const status of this.#statuses) {
      if (status.type === 'disconnect') {
        this.#isUp = false;
        logger.warn('the connection to NATS is lost: dialling again');
      }
      if (status.type === 'error')
        logger.error({ err: status.error }, `NATS refuses: ${messageOf(status.error)}`);
      if (status.type !== 'reconnect') continue;
      this.#isUp = true;
      logger.info('the connection to NATS is back');
      onReconnect();
    }
  }
}

function textOf(message: { json(): unknown }): unknown {
  try {
    return message.json();
  } catch {
    return null;
  }
}

function closedError(): SignalboxError {
  return new SignalboxError('shutting_down', 'the worker has stopped');
}
