/**
 * Hears what agents say over NATS, and answers.
 *
 * I1 Every message is answered and leaves the stream: acted on, or refused with a reason. One that cannot be acted on now
 *    (the log is out of reach) stays, and is heard again.
 * I2 What a message did is done once, however often it is delivered or sent (handled-messages.ts D1).
 * I3 A bad message costs a bounded amount of time and leaves nothing in memory. What can be refused by its form is refused
 *    before anybody waits for anything.
 * I4 Words about one task are heard one after the other, in the order in which they were stored.
 */
import type { Consumer, ConsumerMessages, JetStreamClient, JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { AppContext } from '../app/context.ts';
import { type ErrorCode, messageOf, SignalboxError } from '../contracts/errors.ts';
import {
  type AgentAnswerMessage,
  type AgentMessage,
  type AgentMessageOf,
  agentMessageSchemas,
  type Word,
} from '../contracts/messages/agent-messages.ts';
import {
  AGENT_CONSUMER,
  AGENT_MESSAGE_KINDS,
  AGENT_STREAM,
  type AgentMessageKind,
  controlSubject,
  speakerOfSubject,
} from '../contracts/messages/subjects.ts';
import { parse } from '../operations/parse.ts';
import { HandledMessages } from './handled-messages.ts';
import { type HearingOptions, hearWord } from './hear-word.ts';
import type { Rejections } from './rejections.ts';
import type { RemoteAgent } from './remote-agents.ts';
import { MESSAGES_IN_HAND } from './streams.ts';

export interface AgentInboxOptions {
  readonly app: AppContext;
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly logger: Logger;
  readonly remotes: ReadonlyMap<string, RemoteAgent>;
  readonly rejections: Rejections;
}

/** Bytes. What is larger is refused unread. */
const MAX_MESSAGE_BYTES = 768 * 1_024;
/** Milliseconds after which a message is heard again that could not be acted on. */
const HEAR_AGAIN_MS = 1_000;
const REOPEN_MS = 500;
/**
 * Milliseconds for which messages are asked for. A server that is killed forgets who asked: two heartbeats that do not
 * come make the client ask anew.
 */
const HEARING = { max_messages: MESSAGES_IN_HAND / 2, expires: 5_000, idle_heartbeat: 1_000 } as const;

/** Refusals that say nothing about the message. */
const LATER: ReadonlySet<ErrorCode> = new Set([
  'log_unavailable',
  'log_fenced',
  'overloaded',
  'shutting_down',
  'nats_unavailable',
]);

interface Arrived {
  readonly message: JsMsg;
  readonly agent: string;
  readonly kind: string;
  /** Of the message, as far as it can be known. */
  id: string;
}

export class AgentInbox {
  readonly #options: AgentInboxOptions;
  readonly #hearing: HearingOptions;
  /** The last word of each task that is being heard. */
  readonly #tasks = new Map<string, Promise<void>>();
  #messages: ConsumerMessages | null = null;
  #isClosed = false;
  readonly #reading: Promise<void>;

  constructor(options: AgentInboxOptions) {
    this.#options = options;
    this.#hearing = { ...options, handled: new HandledMessages(options.app) };
    this.#reading = this.#readForEver();
  }

  /** Words that are being heard now. */
  get inHand(): number {
    return this.#tasks.size;
  }

  /** Hears nothing more; what is under way is finished, and answered. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#messages?.close();
    await this.#reading;
    await Promise.all(this.#tasks.values());
  }

  async #readForEver(): Promise<void> {
    const { client, connection, logger } = this.#options;
    while (!this.#isClosed && !connection.isClosed()) {
      try {
        await this.#read(await client.consumers.get(AGENT_STREAM, AGENT_CONSUMER));
      } catch (error) {
        logger.warn({ err: error }, `the agents' messages cannot be read: ${messageOf(error)}`);
      }
      if (!this.#isClosed) await new Promise((resolve) => setTimeout(resolve, REOPEN_MS));
    }
  }

  async #read(consumer: Consumer): Promise<void> {
    this.#messages = await consumer.consume(HEARING);
    if (this.#isClosed) await this.#messages.close();
    for await (const message of this.#messages) this.#receive(message);
  }

  #receive(message: JsMsg): void {
    const speaker = speakerOfSubject(message.subject);
    const arrived: Arrived = {
      message,
      agent: speaker?.agent ?? 'unknown',
      kind: speaker?.kind ?? '',
      id: message.headers?.get('Nats-Msg-Id') || `seq-${message.seq}`,
    };
    try {
      const said = this.#understand(arrived);
      switch (said.type) {
        case 'announce':
          return this.#hearAnnouncement(arrived, said);
        case 'heartbeat':
          return this.#hearHeartbeat(arrived, said);
        default:
          return this.#hearInOrder(arrived, said);
      }
    } catch (error) {
      this.#refuse(arrived, error);
    }
  }

  /** @throws SignalboxError where it is not a message that this agent may send */
  #understand(arrived: Arrived): AgentMessage {
    const { message, agent, kind } = arrived;
    if (!this.#options.app.supervision.roster.get(agent)) {
      throw new SignalboxError('agent_not_found', `there is no agent ${agent}: add it to the configuration`);
    }
    if (!isKind(kind)) {
      throw new SignalboxError(
        'invalid_request',
        `there is no message of the kind ${JSON.stringify(kind.slice(0, 80))}; there are ${AGENT_MESSAGE_KINDS.join(', ')}`,
      );
    }
    if (message.data.length > MAX_MESSAGE_BYTES) {
      throw new SignalboxError(
        'body_too_large',
        `the message has ${message.data.length} bytes, the limit is ${MAX_MESSAGE_BYTES}: leave large content in the object store`,
      );
    }
    const said: AgentMessage = parse(agentMessageSchemas[kind], jsonOf(message), kind);
    if (said.id !== undefined) arrived.id = said.id;
    if ('agent' in said && said.agent !== agent) {
      throw new SignalboxError('forbidden', `agent ${agent} cannot speak for agent ${said.agent}`);
    }
    return said;
  }

  #hearAnnouncement(arrived: Arrived, { worker }: AgentMessageOf<'announce'>): void {
    const remote = this.#remoteOf(arrived);
    remote.presence.seen(worker?.id ?? arrived.agent);
    this.#answer(arrived, { ok: true, heartbeatSeconds: remote.heartbeatMs / 1_000 });
  }

  #hearHeartbeat(arrived: Arrived, said: AgentMessageOf<'heartbeat'>): void {
    const remote = this.#remoteOf(arrived);
    const worker = said.worker?.id ?? arrived.agent;
    const isOld =
      this.#options.app.environment.clock.now() - arrived.message.time.getTime() > remote.offlineMs;
    if (isOld) return this.#answer(arrived, { ok: true });
    if (said.status === 'offline') remote.presence.left(worker);
    else remote.presence.seen(worker);
    const tasks = (said.tasks ?? []).map(({ taskId, ...rest }) => ({ ...rest, task: taskId }));
    for (const attempt of tasks) {
      if (this.#isOf(remote, attempt))
        this.#options.app.supervision.supervisor.attempts.noteSign(attempt, 'heartbeat');
    }
    const cancel = tasks
      .filter((attempt) => !this.#isOf(remote, attempt) || remote.driver.isStopping(attempt))
      .map(({ task, ...rest }) => ({ ...rest, taskId: task, reason: 'it is over, or to be stopped' }));
    this.#answer(arrived, { ok: true, cancel, heartbeatSeconds: remote.heartbeatMs / 1_000 });
  }

  /** Whether the attempt is open, and the agent's. */
  #isOf({ id }: RemoteAgent, attempt: { project: string; task: string; attempt: number }): boolean {
    const key = `${attempt.project}/${attempt.task}/${attempt.attempt}`;
    return this.#options.app.state.host.get('attempt', key)?.context.agent === id;
  }

  #hearInOrder(arrived: Arrived, word: Word): void {
    const key = `${word.project}/${word.taskId}`;
    const before = this.#tasks.get(key) ?? Promise.resolve();
    const heard = before.then(() => this.#hear(arrived, word));
    this.#tasks.set(key, heard);
    void heard.then(() => {
      if (this.#tasks.get(key) === heard) this.#tasks.delete(key);
    });
  }

  /** Never rejects. */
  async #hear(arrived: Arrived, word: Word): Promise<void> {
    const { agent, id } = arrived;
    const remote = this.#options.remotes.get(agent);
    const worker = word.worker ?? { id: agent };
    try {
      remote?.presence.seen(worker.id);
      await hearWord(this.#hearing, { agent, id, word, driver: remote?.driver, worker });
      this.#answer(arrived, { ok: true });
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
      `agent ${agent} is not a remote one: it is there while Signalbox is. Give it "driver: remote" to run it elsewhere`,
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
    if (error && LATER.has(error.code)) return message.nak(HEAR_AGAIN_MS);
    if (!error) logger.error({ err: thrown, agent, kind, id }, 'a message failed unexpectedly');
    const code = error?.code ?? 'internal';
    const reason = error?.message ?? 'Signalbox met a state that it does not expect; its log says more';
    rejections.add({ agent, kind: kind.slice(0, 80), id, code, reason, bytes: message.data.length });
    this.#answer(arrived, { ok: false, code, detail: reason });
  }
}

function isKind(kind: string): kind is AgentMessageKind {
  return (AGENT_MESSAGE_KINDS as readonly string[]).includes(kind);
}

/** @throws SignalboxError `invalid_request` */
function jsonOf(message: JsMsg): unknown {
  try {
    return message.json();
  } catch (cause) {
    throw new SignalboxError('invalid_request', `the message is not JSON: ${messageOf(cause)}`, { cause });
  }
}
