/**
 * Rejected messages of agents, with the reason. The newest of each agent are kept (streams.ts); a flood costs a bounded number
 * of writes a second. All are counted.
 */
import { DeliverPolicy, type JetStreamClient } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Clock } from '../base/environment.ts';
import { cutText } from '../base/text/cut-text.ts';
import { type RejectionRecord, rejectionRecordSchema } from '../contracts/messages/rejections.ts';
import { REJECTED_STREAM, REJECTED_SUBJECTS, rejectedSubject } from '../contracts/messages/subjects.ts';
import { StallWatch } from '../journal/jetstream/stall-watch.ts';

/** Rejections that are stored in one second. */
const PER_SECOND = 100;
const MAX_REASON = 1_000;

export class Rejections {
  readonly #connection: NatsConnection;
  readonly #client: JetStreamClient;
  readonly #clock: Clock;
  readonly #counts = new Map<string, number>();
  #second = 0;
  #written = 0;

  constructor(connection: NatsConnection, client: JetStreamClient, clock: Clock) {
    this.#connection = connection;
    this.#client = client;
    this.#clock = clock;
  }

  /** Rejections since the start of this process, by code. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  add(record: Omit<RejectionRecord, 'time'>): void {
    this.#counts.set(record.code, (this.#counts.get(record.code) ?? 0) + 1);
    const now = this.#clock.now();
    const second = Math.floor(now / 1_000);
    if (second !== this.#second) [this.#second, this.#written] = [second, 0];
    if (this.#written++ >= PER_SECOND || this.#connection.isClosed()) return;
    const reason = cutText(record.reason, MAX_REASON);
    const kept = { ...record, reason, time: new Date(now).toISOString() };
    // Not awaited: the sender gets its answer even if the rejection cannot be stored.
    this.#connection.publish(rejectedSubject(record.agent), JSON.stringify(kept));
  }

  /** The newest of one agent, or of all, the newest first. @throws what the NATS client throws */
  async list(agent: string | null, limit: number): Promise<RejectionRecord[]> {
    const consumer = await this.#client.consumers.get(REJECTED_STREAM, {
      deliver_policy: DeliverPolicy.All,
      filter_subjects: agent === null ? REJECTED_SUBJECTS : rejectedSubject(agent),
    });
    const found: RejectionRecord[] = [];
    try {
      const { num_pending: pending } = await consumer.info(true);
      if (pending === 0) return [];
      const messages = await consumer.consume();
      // A flood replaces messages while they are read: the server may have counted some that it then does not deliver.
      const stall = new StallWatch(consumer, messages);
      try {
        for await (const message of messages) {
          const parsed = rejectionRecordSchema.safeParse(message.json());
          if (parsed.success) found.push(parsed.data);
          if (message.info.pending === 0) break;
        }
      } finally {
        stall.close();
        await messages.close();
      }
    } finally {
      await consumer.delete().catch(() => false);
    }
    return found.reverse().slice(0, limit);
  }
}
