/**
 * Receives the messages of agents over NATS, and answers them.
 *
 * Every message is answered and leaves the stream: acted on, or refused with a reason. One that cannot be acted on now,
 * because the log is unreachable, stays and is delivered again. A bad message costs a bounded amount of time and leaves
 * nothing in memory. Messages about one task are acted on one after the other, in the order in which they were stored.
 */
import type { Consumer, ConsumerMessages, JetStreamClient, JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { AppContext } from '../app/context.ts';
import { type ErrorCode, messageOf, SignalboxError } from '../contracts/errors.ts';
import { type AttemptRef, attemptKey, taskKey } from '../contracts/ids.ts';
import {
  type AgentAnswerMessage,
  type AgentMessage,
  type AgentMessageOf,
  type AttemptMessage,
  agentMessageSchemas,
} from '../contracts/messages/agent-messages.ts';
import {
  AGENT_CONSUMER,
  AGENT_MESSAGE_KINDS,
  AGENT_STREAM,
  type AgentMessageKind,
  controlSubject,
  senderOfSubject,
} from '../contracts/messages/subjects.ts';
import { assertSingle } from '../operations/headers.ts';
import { parse, parseJson } from '../operations/parse.ts';
import { actOn, causeOf, HandledMessages, type ReceivingOptions } from './agent-messages.ts';
import { namesIn } from './command.ts';
import type { Rejections } from './rejections.ts';
import type { RemoteAgent } from './remote-agent.ts';
import { steeringFor } from './steering.ts';
import { MESSAGES_IN_HAND } from './streams.ts';

export interface AgentInboxOptions {
  readonly app: AppContext;
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly logger: Logger;
  readonly remotes: ReadonlyMap<string, RemoteAgent>;
  readonly rejections: Rejections;
}

/** A larger message is refused unread. */
const MAX_MESSAGE_BYTES = 768 * 1_024;
/** Milliseconds until a message that could not be acted on is delivered again. */
const REDELIVERY_MS = 1_000;
const REOPEN_MS = 500;
/** A server that is killed forgets its pull requests: after two missing heartbeats the client asks again. */
const PULL = { max_messages: MESSAGES_IN_HAND / 2, expires: 5_000, idle_heartbeat: 1_000 } as const;

/** Errors that say nothing about the message: it is tried again later. */
const TEMPORARY: ReadonlySet<ErrorCode> = new Set([
  'log_unavailable',
  'log_fenced',
  'log_corrupt',
  'overloaded',
  'shutting_down',
  'nats_unavailable',
]);

interface Arrived {
  readonly message: JsMsg;
  readonly agent: string;
  readonly kind: string;
  /** Of the message; of its place in the stream until it is parsed. */
  id: string;
}

export class AgentInbox {
  readonly #options: AgentInboxOptions;
  readonly #receiving: ReceivingOptions;
  /** By task: ends when its newest message has been acted on. */
  readonly #tasks = new Map<string, Promise<void>>();
  #messages: ConsumerMessages | null = null;
  #isClosed = false;
  readonly #reading: Promise<void>;

  constructor(options: AgentInboxOptions) {
    this.#options = options;
    this.#receiving = { ...options, handled: new HandledMessages(options.app) };
    this.#reading = this.#readUntilClosed();
  }

  /** Tasks whose messages are being acted on. */
  get inHand(): number {
    return this.#tasks.size;
  }

  /** Receives nothing more; messages in progress are acted on and answered. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#messages?.close();
    await this.#reading;
    await Promise.all(this.#tasks.values());
  }

  async #readUntilClosed(): Promise<void> {
    const { client, connection, logger } = this.#options;
    while (!this.#isClosed && !connection.isClosed()) {
      try {
        await this.#read(await client.consumers.get(AGENT_STREAM, AGENT_CONSUMER));
      } catch (error) {
        logger.warn({ err: error }, `cannot read the messages of agents: ${messageOf(error)}`);
      }
      if (!this.#isClosed) await new Promise((resolve) => setTimeout(resolve, REOPEN_MS));
    }
  }

  async #read(consumer: Consumer): Promise<void> {
    this.#messages = await consumer.consume(PULL);
    if (this.#isClosed) await this.#messages.close();
    for await (const message of this.#messages) this.#receive(message);
  }

  #receive(message: JsMsg): void {
    const sender = senderOfSubject(message.subject);
    const arrived: Arrived = {
      message,
      agent: sender?.agent ?? 'unknown',
      kind: sender?.kind ?? '',
      id: message.headers?.get('Nats-Msg-Id') || `seq-${message.seq}`,
    };
    try {
      const message = this.#parse(arrived);
      switch (message.type) {
        case 'announce':
          return this.#announced(arrived, message);
        case 'heartbeat':
          return void this.#heartbeat(arrived, message).catch((error: unknown) =>
            this.#refuse(arrived, error),
          );
        default:
          return this.#actInOrder(arrived, message);
      }
    } catch (error) {
      this.#refuse(arrived, error);
    }
  }

  /** @throws SignalboxError if it is not a message that this agent may send */
  #parse(arrived: Arrived): AgentMessage {
    const { message, agent, kind } = arrived;
    if (!this.#options.app.supervision.roster.get(agent)) {
      throw new SignalboxError('agent_not_found', `there is no agent ${agent}: add it to the configuration`);
    }
    if (!isKind(kind)) {
      throw new SignalboxError(
        'invalid_request',
        `there is no message ${JSON.stringify(kind.slice(0, 80))}; there are ${AGENT_MESSAGE_KINDS.join(', ')}`,
      );
    }
    if (message.data.length > MAX_MESSAGE_BYTES) {
      throw new SignalboxError(
        'body_too_large',
        `the message has ${message.data.length} bytes, the limit is ${MAX_MESSAGE_BYTES}: leave large content in the object store`,
      );
    }
    if (message.headers) assertSingle(namesIn(message.headers));
    const parsed: AgentMessage = parse(agentMessageSchemas[kind], jsonOf(message), kind);
    if (parsed.id !== undefined) arrived.id = parsed.id;
    if ('agent' in parsed && parsed.agent !== agent) {
      throw new SignalboxError('forbidden', `agent ${agent} cannot send messages of agent ${parsed.agent}`);
    }
    return parsed;
  }

  #announced(arrived: Arrived, { worker }: AgentMessageOf<'announce'>): void {
    const remote = this.#remoteOf(arrived);
    remote.presence.seen(worker?.id ?? arrived.agent);
    this.#answer(arrived, { ok: true, heartbeatSeconds: remote.heartbeatMs / 1_000 });
  }

  async #heartbeat(arrived: Arrived, heartbeat: AgentMessageOf<'heartbeat'>): Promise<void> {
    const remote = this.#remoteOf(arrived);
    const worker = heartbeat.worker?.id ?? arrived.agent;
    const isOld =
      this.#options.app.environment.clock.now() - arrived.message.time.getTime() > remote.offlineMs;
    if (isOld) return this.#answer(arrived, { ok: true });
    if (heartbeat.status === 'offline') remote.presence.left(worker);
    else remote.presence.seen(worker);
    const { app } = this.#options;
    const tasks = (heartbeat.tasks ?? []).map(({ taskId, ...rest }) => ({ ...rest, task: taskId }));
    const own = tasks.filter((attempt) => this.#isOf(remote, attempt));
    for (const attempt of own) app.supervision.supervisor.attempts.noteSign(attempt, 'heartbeat');
    const cancel = tasks
      .filter((attempt) => !own.includes(attempt) || remote.driver.isStopping(attempt))
      .map(({ project, task, attempt }) => ({
        project,
        taskId: task,
        attempt,
        reason: 'it is over, or must be stopped',
      }));
    const told = await Promise.all(own.map((each) => steeringFor(app, each, each, causeOf(arrived))));
    const steering = told.flat();
    this.#answer(arrived, {
      ok: true,
      cancel,
      heartbeatSeconds: remote.heartbeatMs / 1_000,
      ...(steering.length > 0 && { steering }),
    });
  }

  /** Whether the attempt is open, and the agent's. */
  #isOf({ id }: RemoteAgent, attempt: AttemptRef): boolean {
    return this.#options.app.state.host.get('attempt', attemptKey(attempt))?.context.agent === id;
  }

  #actInOrder(arrived: Arrived, message: AttemptMessage): void {
    const key = taskKey({ project: message.project, task: message.taskId });
    const before = this.#tasks.get(key) ?? Promise.resolve();
    const done = before.then(() => this.#act(arrived, message));
    this.#tasks.set(key, done);
    void done.then(() => {
      if (this.#tasks.get(key) === done) this.#tasks.delete(key);
    });
  }

  /** Never rejects. */
  async #act(arrived: Arrived, message: AttemptMessage): Promise<void> {
    const { agent, id } = arrived;
    const remote = this.#options.remotes.get(agent);
    const worker = message.worker ?? { id: agent };
    try {
      remote?.presence.seen(worker.id);
      const reply = await actOn(this.#receiving, { agent, id, message, driver: remote?.driver, worker });
      this.#answer(arrived, { ok: true, ...reply });
    } catch (error) {
      this.#refuse(arrived, error);
    }
  }

  /** @throws SignalboxError for an agent that runs on this machine */
  #remoteOf({ agent }: Arrived): RemoteAgent {
    const remote = this.#options.remotes.get(agent);
    if (remote) return remote;
    throw new SignalboxError(
      'invalid_request',
      `agent ${agent} is not a remote agent: Signalbox runs it itself. Configure "driver: remote" to run it elsewhere`,
    );
  }

  #answer({ message, agent, id }: Arrived, answer: Omit<AgentAnswerMessage, 'type' | 'id'>): void {
    const { connection } = this.#options;
    if (connection.isClosed()) return;
    connection.publish(controlSubject(agent, 'answer'), JSON.stringify({ type: 'answer', id, ...answer }));
    message.ack();
  }

  #refuse(arrived: Arrived, thrown: unknown): void {
    const { rejections, logger } = this.#options;
    const { agent, kind, id, message } = arrived;
    const error = thrown instanceof SignalboxError ? thrown : null;
    if (error && TEMPORARY.has(error.code)) return message.nak(REDELIVERY_MS);
    if (!error) logger.error({ err: thrown, agent, kind, id }, 'unexpected error while acting on a message');
    const code = error?.code ?? 'internal';
    const reason = error?.message ?? 'unexpected error: see the log of Signalbox';
    rejections.add({ agent, kind: kind.slice(0, 80), id, code, reason, bytes: message.data.length });
    this.#answer(arrived, { ok: false, code, detail: reason });
  }
}

function isKind(kind: string): kind is AgentMessageKind {
  return AGENT_MESSAGE_KINDS.some((each) => each === kind);
}

/** @throws SignalboxError `invalid_request` */
function jsonOf(message: JsMsg): unknown {
  return parseJson(message.data, 'message');
}
