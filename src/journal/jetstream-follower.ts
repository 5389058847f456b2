/** Reading a part of the log, and following it as it grows; for readers that are not the writer and need no lease. */
import {
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  type OrderedConsumerOptions,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { SignalboxError } from '../contracts/errors.ts';
import { EVENT_STREAM } from '../contracts/subjects.ts';
import { isStreamMissing } from './event-stream.ts';
import { gap, unavailable } from './failures.ts';
import { consume, readMessages, stored } from './jetstream-reader.ts';
import type { StoredMessage } from './journal.ts';

/** Part of the log, by place and subject. */
export interface LogPart {
  /** First sequence. */
  readonly from: number;
  /** Last sequence, inclusive; the present end where it is absent. */
  readonly to?: number | undefined;
  /** Only what stands under this subject; all where it is absent. */
  readonly subject?: string | undefined;
}

/**
 * Messages that a follower asks for at once, and milliseconds for which it asks. A server that is killed forgets who
 * follows: two heartbeats that do not come make the client ask anew.
 */
const FOLLOWING = { max_messages: 500, expires: 5_000, idle_heartbeat: 1_000 } as const;
const TIMEOUT_MS = 5_000;

export class JetStreamFollower {
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;

  private constructor(client: JetStreamClient, manager: JetStreamManager) {
    this.#client = client;
    this.#manager = manager;
  }

  /** @throws SignalboxError `not_found` where there is no log, `nats_unavailable` */
  static async open(connection: NatsConnection): Promise<JetStreamFollower> {
    try {
      const manager = await jetstreamManager(connection, { timeout: TIMEOUT_MS });
      await manager.streams.info(EVENT_STREAM);
      return new JetStreamFollower(jetstream(connection, { timeout: TIMEOUT_MS }), manager);
    } catch (cause) {
      if (!isStreamMissing(cause)) throw unavailable('the log cannot be looked at', cause);
      throw new SignalboxError(
        'not_found',
        `there is no event log: the NATS server has no stream ${EVENT_STREAM}. No Signalbox has run on it yet`,
        { cause },
      );
    }
  }

  /** @throws SignalboxError `nats_unavailable` */
  async lastSequence(): Promise<number> {
    try {
      return (await this.#manager.streams.info(EVENT_STREAM)).state.last_seq;
    } catch (cause) {
      throw unavailable('the log cannot be looked at', cause);
    }
  }

  /** @throws SignalboxError `log_corrupt` where a message is missing, `nats_unavailable` */
  read({ from, to, subject }: LogPart): AsyncIterable<StoredMessage> {
    if (subject !== undefined) return this.#readSubject(from, to ?? Number.POSITIVE_INFINITY, subject);
    return readMessages(this.#client, this.#manager, { from, ...(to === undefined ? {} : { to }) });
  }

  /** What is there from `from` on and what is stored later, until the signal is aborted. @throws as `read` */
  async *follow({ from, subject }: LogPart, signal: AbortSignal): AsyncIterable<StoredMessage> {
    const end = Math.max(await this.lastSequence(), from - 1);
    for await (const message of this.read({ from, to: end, subject })) {
      if (signal.aborted) return;
      yield message;
    }
    yield* this.#live({ from: end + 1, subject }, signal);
  }

  /** What is stored from `from` on, where nothing may stand there yet. */
  async *#live({ from, subject }: LogPart, signal: AbortSignal): AsyncIterable<StoredMessage> {
    if (signal.aborted) return;
    const consumer = await this.#client.consumers
      .get(EVENT_STREAM, optionsFor(from, subject))
      .catch((cause: unknown) => {
        throw unavailable('the log cannot be followed', cause);
      });
    const messages = await consumer.consume(FOLLOWING);
    const stop = (): void => void messages.close();
    signal.addEventListener('abort', stop, { once: true });
    let expected = from;
    try {
      for await (const message of messages) {
        if (subject === undefined && message.seq !== expected) throw gap(expected, message.seq);
        expected = message.seq + 1;
        yield stored(message);
        if (signal.aborted) return;
      }
    } finally {
      signal.removeEventListener('abort', stop);
      await messages.close();
      await consumer.delete().catch(() => false);
    }
    if (!signal.aborted)
      throw new SignalboxError('nats_unavailable', 'following the log stopped: the connection closed');
  }

  async *#readSubject(from: number, to: number, subject: string): AsyncIterable<StoredMessage> {
    for await (const message of consume(this.#client, optionsFor(from, subject))) {
      if (message.seq > to) return;
      yield stored(message);
      if (message.info.pending === 0) return;
    }
  }
}

function optionsFor(from: number, subject: string | undefined): Partial<OrderedConsumerOptions> {
  return {
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: from,
    ...(subject === undefined ? {} : { filter_subjects: `${subject}.>` }),
  };
}
