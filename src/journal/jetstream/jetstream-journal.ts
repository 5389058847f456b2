/** The journal on JetStream: reading, and becoming the writer. The writer itself is in jetstream-writer.ts. */
import { type JetStreamClient, type JetStreamManager, jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { SignalboxError } from '../../contracts/errors.ts';
import { refuseGap, unavailable } from '../failures.ts';
import {
  type FillGap,
  isSameTip,
  type Journal,
  type JournalEntry,
  type JournalHandlers,
  type JournalState,
  type ReadRange,
  type StoredMessage,
  type TakeOver,
  type Tip,
} from '../journal.ts';
import { storeAlone } from './append.ts';
import { eraseMessage, openEventStream } from './event-stream.ts';
import { failAs, holdsSubject, readMessages, readSubject, readTip } from './jetstream-reader.ts';
import { JetStreamWriter } from './jetstream-writer.ts';

export interface JetStreamJournalOptions {
  /** Messages in flight. Throughput is flat from about 1024 on. */
  readonly window?: number;
  /** Milliseconds to wait for an answer of the server. After that time without an acknowledgement the log is read. */
  readonly acknowledgementTimeoutMs?: number;
  readonly replicas?: number;
}

export class JetStreamJournal<Entry extends JournalEntry> implements Journal<Entry> {
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #writer: JetStreamWriter<Entry>;

  private constructor(client: JetStreamClient, manager: JetStreamManager, writer: JetStreamWriter<Entry>) {
    this.#client = client;
    this.#manager = manager;
    this.#writer = writer;
  }

  /**
   * @param connection should reconnect for ever (`maxReconnectAttempts: -1`): once it is closed, so is the journal
   * @throws SignalboxError `nats_unavailable`, `log_mismatch`
   */
  static async open<Entry extends JournalEntry>(
    connection: NatsConnection,
    handlers: JournalHandlers<Entry>,
    {
      window = 2_048,
      acknowledgementTimeoutMs: timeoutMs = 3_000,
      replicas = 1,
    }: JetStreamJournalOptions = {},
  ): Promise<JetStreamJournal<Entry>> {
    const manager = await openEventStream(connection, { replicas, timeoutMs });
    const client = jetstream(connection, { timeout: timeoutMs });
    const writer = new JetStreamWriter({ connection, client, manager, handlers, window, timeoutMs });
    return new JetStreamJournal(client, manager, writer);
  }

  get state(): JournalState {
    return this.#writer.state;
  }

  get backlog(): number {
    return this.#writer.backlog;
  }

  tip(): Promise<Tip> {
    return readTip(this.#manager).catch(failAs('cannot read the log'));
  }

  read(range: ReadRange, fill: FillGap = refuseGap): AsyncIterable<StoredMessage> {
    return readMessages(this.#client, this.#manager, range, fill);
  }

  readPresent(range: ReadRange): AsyncIterable<StoredMessage> {
    return readMessages(this.#client, this.#manager, range, null);
  }

  readBySubject(prefix: string, from?: number): AsyncIterable<StoredMessage> {
    return readSubject(this.#client, `${prefix}.>`, from);
  }

  holds(subject: string): Promise<boolean> {
    return holdsSubject(this.#manager, subject).catch(failAs('cannot read the log'));
  }

  readByFilter(filter: string): AsyncIterable<StoredMessage> {
    return readSubject(this.#client, filter);
  }

  erase(sequence: number): Promise<void> {
    return eraseMessage(this.#manager, sequence);
  }

  /** The first message of the new writer breaks the chain of an earlier one (journal/one-writer). */
  async takeOver(tip: Tip, entry: Entry): Promise<TakeOver> {
    const present = await this.tip();
    if (!isSameTip(present, tip)) return { ok: false, tip: present };
    try {
      await storeAlone(this.#client, entry, tip.sequence);
    } catch (cause) {
      const now = await this.tip();
      if (isSameTip(now, tip)) throw unavailable('could not store the first event', cause);
      // The answer may be lost and the entry stored all the same.
      if (now.sequence !== tip.sequence + 1 || now.id !== entry.id) return { ok: false, tip: now };
    }
    if (this.#writer.isClosed) {
      throw new SignalboxError('internal', 'the journal was closed while it took over the log');
    }
    this.#writer.begin({ sequence: tip.sequence + 1, id: entry.id });
    return { ok: true };
  }

  append(entry: Entry): void {
    this.#writer.append(entry);
  }

  async close(): Promise<void> {
    this.#writer.close();
  }
}
