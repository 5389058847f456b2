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
 * P4 Answers of an earlier generation of sends are ignored. What an earlier generation sent may still arrive at the
 *    server: an entry has one place in the log for ever, so it is stored there once, by whichever copy comes first.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type JetStreamClient, type JetStreamManager, jetstream } from '@nats-io/jetstream';
import { createInbox, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import { describeAcknowledgement, readAcknowledgement } from './acknowledgement.ts';
import { EntryQueue } from './entry-queue.ts';
import { isStreamMissing, openEventStream } from './event-stream.ts';
import { closedForGood, fenced, notFollowed, otherLog, tooLarge, unavailable } from './failures.ts';
import { readId, readMessages, readSubject, readTip } from './jetstream-reader.ts';
import {
  isSameTip,
  type Journal,
  type JournalEntry,
  type JournalHandlers,
  type JournalState,
  type ReadRange,
  type StoredMessage,
  type TakeOver,
  type Tip,
} from './journal.ts';
import { Link } from './link.ts';
import { appendHeaders, HEADER_BYTES_MAX } from './publish-headers.ts';
import { storeAlone } from './store-alone.ts';
import { EVENT_STREAM } from './subjects.ts';

export interface JetStreamJournalOptions {
  /** Messages in flight. Throughput is flat from about 1024 on. */
  readonly window?: number;
  /**
   * Milliseconds to wait for an answer of the server. With messages in flight and no acknowledgement for so long,
   * their fate is looked up.
   */
  readonly acknowledgementTimeoutMs?: number;
  readonly replicas?: number;
}

const RESYNC_PAUSE_MS = 100;

export class JetStreamJournal<Entry extends JournalEntry> implements Journal<Entry> {
  #state: JournalState = { kind: 'reader' };
  readonly #queue = new EntryQueue<Entry>();
  /** How many entries from the queue's head are in flight. */
  #inFlight = 0;
  #stored: Tip = { sequence: 0, id: '' };
  /** The tip as it will be when all that is in flight is stored. */
  #expected: Tip = { sequence: 0, id: '' };
  #generation = 0;
  #pumping = false;
  #lastAnswerAt = 0;
  #closed = false;
  #watch: NodeJS.Timeout | undefined;
  #answers: Subscription | undefined;
  #link: Link | undefined;
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
    limits: { readonly window: number; readonly timeoutMs: number },
  ) {
    this.#connection = connection;
    this.#manager = manager;
    this.#client = jetstream(connection, { timeout: limits.timeoutMs });
    this.#handlers = handlers;
    this.#window = limits.window;
    this.#timeoutMs = limits.timeoutMs;
  }

  /**
   * @param connection should dial again without end (`maxReconnectAttempts: -1`): once it is closed the journal is too
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
    return new JetStreamJournal(connection, manager, handlers, { window, timeoutMs });
  }

  get state(): JournalState {
    return this.#state;
  }

  get backlog(): number {
    return this.#queue.length;
  }

  async tip(): Promise<Tip> {
    try {
      return await readTip(this.#manager);
    } catch (cause) {
      throw unavailable('the log cannot be looked at', cause);
    }
  }

  read(range: ReadRange): AsyncIterable<StoredMessage> {
    return readMessages(this.#client, this.#manager, range);
  }

  readBySubject(prefix: string): AsyncIterable<StoredMessage> {
    return readSubject(this.#client, `${prefix}.>`);
  }

  async takeOver(tip: Tip, entry: Entry): Promise<TakeOver> {
    const present = await this.tip();
    if (!isSameTip(present, tip)) return { ok: false, tip: present };
    try {
      await storeAlone(this.#client, entry, tip.sequence);
    } catch (cause) {
      const now = await this.tip();
      if (isSameTip(now, tip)) throw unavailable('the log did not take the first event', cause);
      // The answer may be lost and the entry stored all the same.
      if (now.sequence !== tip.sequence + 1 || now.id !== entry.id) return { ok: false, tip: now };
    }
    if (this.#closed)
      throw new SignalboxError('internal', 'the journal was closed while it took the log over');
    this.#stored = { sequence: tip.sequence + 1, id: entry.id };
    this.#beginToWrite();
    return { ok: true };
  }

  append(entry: Entry): void {
    if (this.#isOver()) return;
    this.#queue.push(entry);
    const limit = this.#connection.info?.max_payload ?? Number.POSITIVE_INFINITY;
    if (entry.bytes.length + HEADER_BYTES_MAX > limit) {
      this.#fence(tooLarge(entry.id, entry.bytes.length, limit));
    }
    this.#schedulePump();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#letGo();
    if (this.#state.kind !== 'fenced') this.#setState({ kind: 'reader' });
  }

  #beginToWrite(): void {
    this.#answers = this.#connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (!error) this.#onAnswer(message);
      },
    });
    this.#link = new Link(this.#connection, () => this.#startResync('disconnected'));
    this.#watch = setInterval(() => this.#onWatch(), this.#timeoutMs / 4);
    this.#watch.unref();
    this.#reopen();
  }

  /**
   * Sends at the end of this turn of the event loop, all at once: the client writes to its socket whenever a chain of
   * promises pauses, and one write for each event costs more than everything else about it.
   */
  #schedulePump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#state.kind === 'open' && this.#inFlight < this.#window) {
      const entry = this.#queue.at(this.#inFlight);
      if (!entry) return;
      if (this.#inFlight === 0) this.#lastAnswerAt = Date.now();
      try {
        this.#connection.publish(entry.subject, entry.bytes, {
          headers: appendHeaders(entry.id, this.#expected.sequence, this.#expected.id),
          reply: `${this.#inbox}.${this.#generation}`,
        });
      } catch (error) {
        return this.#startResync(messageOf(error));
      }
      this.#expected = { sequence: this.#expected.sequence + 1, id: entry.id };
      this.#inFlight++;
    }
  }

  #onAnswer(message: Msg): void {
    if (this.#state.kind !== 'open' || !message.subject.endsWith(`.${this.#generation}`)) return;
    const answer = readAcknowledgement(message);
    const entry = this.#queue.at(0);
    if (!entry || answer.kind !== 'stored' || answer.sequence !== this.#stored.sequence + 1) {
      this.#startResync(describeAcknowledgement(answer));
      return;
    }
    this.#inFlight--;
    this.#lastAnswerAt = Date.now();
    this.#report(entry, answer.sequence);
    if (this.#inFlight < this.#window / 2) this.#schedulePump();
  }

  /** The entry at the head is stored. Never throws: an error would end the client's reading of the connection. */
  #report(entry: Entry, sequence: number): void {
    this.#queue.shift();
    this.#stored = { sequence, id: entry.id };
    try {
      this.#handlers.onStored(entry, sequence);
    } catch (cause) {
      this.#fence(notFollowed(this.#stored, cause));
    }
  }

  #onWatch(): void {
    if (this.#state.kind !== 'open' || this.#inFlight === 0) return;
    if (Date.now() - this.#lastAnswerAt > this.#timeoutMs) this.#startResync('no acknowledgement in time');
  }

  #startResync(reason: string): void {
    if (this.#state.kind !== 'open') return;
    this.#setState({ kind: 'resyncing', reason });
    void this.#resync(reason);
  }

  async #resync(reason: string): Promise<void> {
    while (!this.#isOver()) {
      if (this.#connection.isClosed()) return this.#fence(closedForGood());
      try {
        // Nothing is sent into a broken connection: the client would keep it, and send it all when it is back.
        if (this.#link?.isUp) return await this.#settle(reason);
      } catch (error) {
        if (isStreamMissing(error)) this.#fence(fenced(`the stream ${EVENT_STREAM} does not exist any more`));
        else if (error instanceof SignalboxError && error.code === 'log_fenced') this.#fence(error);
        else this.#noteReason(messageOf(error));
      }
      await delay(RESYNC_PAUSE_MS, undefined, { ref: false });
    }
  }

  /** Finds out what is stored, stores the next entry alone (P3), and goes on as before. */
  async #settle(reason: string): Promise<void> {
    await this.#reportStored(reason);
    const entry = this.#queue.at(0);
    if (entry && !this.#isOver()) {
      await storeAlone(this.#client, entry, this.#stored.sequence);
      if (!this.#isOver()) this.#report(entry, this.#stored.sequence + 1);
    }
    if (!this.#isOver()) this.#reopen();
  }

  /** Reports what of the unknown was stored. @throws SignalboxError `log_fenced` */
  async #reportStored(reason: string): Promise<void> {
    const tip = await readTip(this.#manager);
    while (this.#stored.sequence < tip.sequence) {
      const sequence = this.#stored.sequence + 1;
      const id = sequence === tip.sequence ? tip.id : await readId(this.#manager, sequence);
      if (this.#isOver()) return;
      const entry = this.#queue.at(0);
      if (entry?.id !== id) {
        throw fenced(
          `message ${sequence} (id ${id || 'of none'}) was written by another (noticed after: ${reason})`,
        );
      }
      this.#report(entry, sequence);
    }
    // The tip's id must be ours even where nothing new was stored: an equal length is not an equal log.
    if (!isSameTip(tip, this.#stored)) throw fenced(otherLog(this.#stored, tip));
  }

  #reopen(): void {
    this.#generation++;
    this.#inFlight = 0;
    this.#expected = this.#stored;
    this.#setState({ kind: 'open' });
    this.#pump();
  }

  #isOver(): boolean {
    return this.#closed || this.#state.kind === 'fenced';
  }

  #fence(error: SignalboxError): void {
    if (this.#isOver()) return;
    this.#letGo();
    this.#setState({ kind: 'fenced', error });
  }

  #letGo(): void {
    clearInterval(this.#watch);
    this.#answers?.unsubscribe();
    this.#link?.close();
    this.#queue.clear();
  }

  #noteReason(reason: string): void {
    if (this.#state.kind === 'resyncing' && this.#state.reason !== reason) {
      this.#setState({ kind: 'resyncing', reason });
    }
  }

  #setState(state: JournalState): void {
    this.#state = state;
    this.#handlers.onState(state);
  }
}
