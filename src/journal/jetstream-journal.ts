/**
 * The journal on JetStream: many messages in flight on one connection, chained by expected sequence and expected
 * message id (see publish-headers.ts), so that what is stored is always a prefix of what was appended.
 *
 * P1 An acknowledgement counts only if it names the next sequence. Anything else (an error, a duplicate, a gap, no
 *    answer in time, a disconnect) stops the sending and starts a resync: nothing is guessed.
 * P2 A resync reads the tip, matches the ids of what is unknown, reports what was stored, and sends the rest again.
 *    A foreign id in our range, or a tip below what was acknowledged, means fenced.
 * P3 After a resync the first message goes alone and by sequence only: servers before 2.12 forget the last message id
 *    at a restart.
 * P4 Answers of an earlier generation of sends are ignored.
 */
import { type JetStreamClient, type JetStreamManager, jetstream } from '@nats-io/jetstream';
import { createInbox, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import { EntryQueue } from './entry-queue.ts';
import { openEventStream } from './event-stream.ts';
import { readId, readMessages, readSubject, readTip } from './jetstream-reader.ts';
import type {
  Journal,
  JournalEntry,
  JournalHandlers,
  JournalState,
  ReadRange,
  StoredMessage,
  TakeOver,
  Tip,
} from './journal.ts';
import { appendHeaders } from './publish-headers.ts';
import { EVENT_STREAM } from './subjects.ts';

export interface JetStreamJournalOptions {
  /** Messages in flight. Throughput is flat from about 1024 on. */
  readonly window?: number;
  /** Milliseconds without any acknowledgement, with messages in flight, after which the fate is looked up. */
  readonly acknowledgementTimeoutMs?: number;
  readonly replicas?: number;
}

interface Acknowledgement {
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly description?: string; readonly err_code?: number };
}

const RESYNC_PAUSE_MS = 100;
const WATCH_INTERVAL_MS = 250;

export class JetStreamJournal<Entry extends JournalEntry> implements Journal<Entry> {
  #state: JournalState = { kind: 'reader' };
  readonly #queue = new EntryQueue<Entry>();
  /** How many entries from the queue's head are in flight. */
  #inFlight = 0;
  #stored: Tip = { sequence: 0, id: '' };
  /** The tip as it will be when all that is in flight is stored. */
  #expected: Tip = { sequence: 0, id: '' };
  #generation = 0;
  #lastAnswerAt = 0;
  #closed = false;
  #watch: NodeJS.Timeout | undefined;
  #answers: Subscription | undefined;
  readonly #inbox = createInbox();
  readonly #window: number;
  readonly #timeoutMs: number;
  readonly #connection: NatsConnection;
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #handlers: JournalHandlers<Entry>;

  private constructor(
    connection: NatsConnection,
    manager: JetStreamManager,
    handlers: JournalHandlers<Entry>,
    options: JetStreamJournalOptions,
  ) {
    this.#connection = connection;
    this.#manager = manager;
    this.#client = jetstream(connection, { timeout: 3_000 });
    this.#handlers = handlers;
    this.#window = options.window ?? 2_048;
    this.#timeoutMs = options.acknowledgementTimeoutMs ?? 3_000;
  }

  /** @throws SignalboxError `nats_unavailable`, `log_mismatch` */
  static async open<Entry extends JournalEntry>(
    connection: NatsConnection,
    handlers: JournalHandlers<Entry>,
    options: JetStreamJournalOptions = {},
  ): Promise<JetStreamJournal<Entry>> {
    const manager = await openEventStream(connection, options.replicas);
    return new JetStreamJournal(connection, manager, handlers, options);
  }

  get state(): JournalState {
    return this.#state;
  }

  get backlog(): number {
    return this.#queue.length;
  }

  tip(): Promise<Tip> {
    return readTip(this.#manager);
  }

  read(range: ReadRange): AsyncIterable<StoredMessage> {
    return readMessages(this.#client, this.#manager, range);
  }

  readBySubject(prefix: string): AsyncIterable<StoredMessage> {
    return readSubject(this.#client, `${prefix}.>`);
  }

  async takeOver(tip: Tip, entry: Entry): Promise<TakeOver> {
    const present = await this.tip();
    if (present.sequence !== tip.sequence || present.id !== tip.id) return { ok: false, tip: present };
    try {
      await this.#storeAlone(entry, tip.sequence);
    } catch (cause) {
      const now = await this.tip();
      // The answer may be lost and the entry stored all the same.
      if (now.sequence !== tip.sequence + 1 || now.id !== entry.id) {
        if (now.sequence !== tip.sequence) return { ok: false, tip: now };
        throw new SignalboxError(
          'nats_unavailable',
          `the log did not take the first event: ${messageOf(cause)}`,
          { cause },
        );
      }
    }
    this.#stored = { sequence: tip.sequence + 1, id: entry.id };
    this.#answers = this.#connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (!error) this.#onAnswer(message);
      },
    });
    void this.#watchConnection();
    this.#watch = setInterval(() => this.#onWatch(), WATCH_INTERVAL_MS);
    this.#watch.unref();
    this.#reopen();
    return { ok: true };
  }

  append(entry: Entry): void {
    if (this.#closed || this.#state.kind === 'fenced') return;
    this.#queue.push(entry);
    if (this.#state.kind === 'open') this.#pump();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#watch);
    this.#answers?.unsubscribe();
    this.#queue.clear();
    if (this.#state.kind !== 'fenced') this.#setState({ kind: 'reader' });
  }

  #pump(): void {
    while (this.#inFlight < this.#window) {
      const entry = this.#queue.at(this.#inFlight);
      if (!entry) return;
      if (this.#inFlight === 0) this.#lastAnswerAt = Date.now();
      this.#connection.publish(entry.subject, entry.bytes, {
        headers: appendHeaders(entry.id, this.#expected.sequence, this.#expected.id),
        reply: `${this.#inbox}.${this.#generation}`,
      });
      this.#expected = { sequence: this.#expected.sequence + 1, id: entry.id };
      this.#inFlight++;
    }
  }

  #onAnswer(message: Msg): void {
    if (this.#state.kind !== 'open' || !message.subject.endsWith(`.${this.#generation}`)) return;
    const answer = acknowledgementOf(message);
    const entry = this.#queue.at(0);
    if (!entry || answer.error || answer.duplicate || answer.seq !== this.#stored.sequence + 1) {
      this.#startResync(answer.error?.description ?? `unexpected acknowledgement ${answer.seq}`);
      return;
    }
    this.#inFlight--;
    this.#lastAnswerAt = Date.now();
    this.#report(entry, answer.seq);
    if (this.#inFlight < this.#window / 2) this.#pump();
  }

  /** The entry at the head is stored. */
  #report(entry: Entry, sequence: number): void {
    this.#queue.shift();
    this.#stored = { sequence, id: entry.id };
    this.#handlers.onStored(entry, sequence);
  }

  #onWatch(): void {
    if (this.#state.kind !== 'open' || this.#inFlight === 0) return;
    if (Date.now() - this.#lastAnswerAt > this.#timeoutMs) this.#startResync('no acknowledgement in time');
  }

  async #watchConnection(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (this.#closed) return;
      if (status.type === 'disconnect') this.#startResync('disconnected');
    }
  }

  #startResync(reason: string): void {
    if (this.#state.kind !== 'open') return;
    this.#setState({ kind: 'resyncing', reason });
    void this.#resync(reason);
  }

  async #resync(reason: string): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#reportStored(reason);
        const entry = this.#queue.at(0);
        if (entry) {
          await this.#storeAlone(entry, this.#stored.sequence);
          this.#report(entry, this.#stored.sequence + 1);
        }
        if (this.#closed) return;
        this.#reopen();
        return;
      } catch (error) {
        if (error instanceof SignalboxError && error.code === 'log_fenced') return this.#fence(error);
        await new Promise((resolve) => setTimeout(resolve, RESYNC_PAUSE_MS));
      }
    }
  }

  /** Finds out what of the unknown was stored. @throws SignalboxError `log_fenced` */
  async #reportStored(reason: string): Promise<void> {
    const tip = await this.tip();
    if (tip.sequence < this.#stored.sequence) {
      throw fenced(
        `the log ends at ${tip.sequence}, but ${this.#stored.sequence} was acknowledged: it is not the same log`,
      );
    }
    for (let sequence = this.#stored.sequence + 1; sequence <= tip.sequence; sequence++) {
      const id = sequence === tip.sequence ? tip.id : await readId(this.#manager, sequence);
      const entry = this.#queue.at(0);
      if (!entry || entry.id !== id) {
        throw fenced(`message ${sequence} (id ${id}) was written by another (noticed after: ${reason})`);
      }
      this.#report(entry, sequence);
    }
    // The tip's id must be ours even where nothing new was stored: an equal length is not an equal log.
    if (tip.sequence === this.#stored.sequence && tip.id !== this.#stored.id) {
      throw fenced(
        `message ${tip.sequence} has the id ${tip.id}, acknowledged was ${this.#stored.id}: it is not the same log`,
      );
    }
  }

  async #storeAlone(entry: Entry, lastSequence: number): Promise<void> {
    const answer = await this.#client.publish(entry.subject, entry.bytes, {
      msgID: entry.id,
      expect: { lastSequence, streamName: EVENT_STREAM },
    });
    if (answer.duplicate || answer.seq !== lastSequence + 1) {
      throw new SignalboxError('log_unavailable', `message ${entry.id} was acknowledged as ${answer.seq}`);
    }
  }

  #reopen(): void {
    this.#generation++;
    this.#inFlight = 0;
    this.#expected = this.#stored;
    this.#setState({ kind: 'open' });
    this.#pump();
  }

  #fence(error: SignalboxError): void {
    clearInterval(this.#watch);
    this.#queue.clear();
    this.#setState({ kind: 'fenced', error });
  }

  #setState(state: JournalState): void {
    this.#state = state;
    this.#handlers.onState(state);
  }
}

function acknowledgementOf(message: Msg): Acknowledgement {
  // An empty answer is the server's "no responders": no stream listens.
  if (message.data.length === 0) return { error: { description: 'no stream takes the subject' } };
  return message.json<Acknowledgement>();
}

function fenced(why: string): SignalboxError {
  return new SignalboxError(
    'log_fenced',
    `this Signalbox is not the writer of the log any more: ${why}. It stops; start it again when no other one runs`,
  );
}
