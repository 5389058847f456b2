/**
 * The writing end of the JetStream journal: many messages in flight on one connection, chained by expected sequence and
 * expected message id (append.ts), so that what is stored is always a prefix of what was appended.
 *
 * An acknowledgement counts only if it names the next sequence. Anything else (an error, a duplicate, a gap, no answer in
 * time, a disconnect) stops the sending and starts a resync. A resync reads the tip, matches the ids of the entries in
 * flight, reports what was stored, and sends the rest again. A foreign id in our range, or a tip below what was
 * acknowledged, means fenced. After a resync the first message goes alone and by sequence only: servers before 2.12 forget
 * the last message id at a restart.
 *
 * Answers to an earlier generation of sends are ignored. Its messages may still arrive at the server: an entry has one
 * sequence for ever, so it is stored there once, by the copy that comes first.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import {
  createInbox,
  type Msg,
  type NatsConnection,
  type QueuedIterator,
  type Status,
  type Subscription,
} from '@nats-io/transport-node';
import { EntryQueue } from '../../base/entry-queue.ts';
import { type ErrorCode, messageOf, SignalboxError } from '../../contracts/errors.ts';
import { EVENT_STREAM } from '../../contracts/messages/subjects.ts';
import {
  closedForGood,
  damaged,
  fenced,
  notFollowed,
  otherLog,
  tooLarge,
  writtenByAnother,
} from '../failures.ts';
import {
  isSameTip,
  type JournalEntry,
  type JournalHandlers,
  type JournalState,
  type Tip,
} from '../journal.ts';
import { appendHeaders, MAX_HEADER_BYTES, readAcknowledgement, storeAlone } from './append.ts';
import { isStreamMissing } from './event-stream.ts';
import { readIds, readTip } from './jetstream-reader.ts';

export interface JetStreamWriterOptions<Entry extends JournalEntry> {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly handlers: JournalHandlers<Entry>;
  /** Messages in flight. */
  readonly window: number;
  /** Milliseconds without an acknowledgement after which a resync starts. */
  readonly timeoutMs: number;
}

const RESYNC_PAUSE_MS = 100;
/** Errors of a resync after which nothing is ever written again. */
const FINAL: ReadonlySet<ErrorCode> = new Set(['log_fenced', 'log_corrupt']);
/** Entries worth a write to the socket: about as many as the client sends at once. */
const BURST = 32;

export class JetStreamWriter<Entry extends JournalEntry> {
  state: JournalState = { kind: 'reader' };
  readonly #queue = new EntryQueue<Entry>();
  /** Number of entries in flight, from the head of the queue. */
  #inFlight = 0;
  #stored: Tip = { sequence: 0, id: '' };
  /** The tip once everything in flight is stored. */
  #expected: Tip = { sequence: 0, id: '' };
  #generation = 0;
  #lastAnswerAt = 0;
  isClosed = false;
  #pumping = false;
  #watch: NodeJS.Timeout | undefined;
  #answers: Subscription | undefined;
  #statuses: QueuedIterator<Status> | undefined;
  #isConnected = true;
  readonly #inbox = createInbox();
  readonly #options: JetStreamWriterOptions<Entry>;

  constructor(options: JetStreamWriterOptions<Entry>) {
    this.#options = options;
  }

  get backlog(): number {
    return this.#queue.length;
  }

  /** Starts writing: `stored` is the log's tip, and this writer's own entry. */
  begin(stored: Tip): void {
    this.#stored = stored;
    this.#answers = this.#options.connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (!error) this.#onAnswer(message);
      },
    });
    void this.#followConnection();
    this.#watch = setInterval(() => this.#onWatch(), this.#options.timeoutMs / 4);
    this.#watch.unref();
    this.#reopen();
  }

  append(entry: Entry): void {
    if (this.#isOver()) return;
    this.#queue.push(entry);
    const limit = this.#options.connection.info?.max_payload ?? Number.POSITIVE_INFINITY;
    if (entry.bytes.length + MAX_HEADER_BYTES > limit) {
      this.#fence(tooLarge(entry.id, entry.bytes.length, limit));
    }
    if (this.#inFlight === 0 || this.#queue.length - this.#inFlight >= BURST) this.#pump();
    else this.#schedulePump();
  }

  halt(error: SignalboxError): void {
    this.#fence(error);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#release();
    if (this.state.kind !== 'fenced') this.#setState({ kind: 'reader' });
  }

  /** The client reconnects by itself. */
  async #followConnection(): Promise<void> {
    // Declared as a bare AsyncIterable, which could not be stopped from here.
    this.#statuses = this.#options.connection.status() as QueuedIterator<Status>;
    for await (const { type } of this.#statuses) {
      if (type === 'reconnect') this.#isConnected = true;
      if (type !== 'disconnect' && type !== 'close') continue;
      this.#isConnected = false;
      this.#startResync('disconnected');
    }
  }

  /**
   * Sends at the end of this turn of the event loop: the client writes to its socket whenever a chain of promises pauses,
   * and one write per event costs more than everything else about it. An idle server gets the first entry at once, and
   * in a long turn a BURST at a time.
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
    while (this.state.kind === 'open' && this.#inFlight < this.#options.window) {
      const entry = this.#queue.at(this.#inFlight);
      if (!entry) return;
      if (this.#inFlight === 0) this.#lastAnswerAt = Date.now();
      try {
        this.#options.connection.publish(entry.subject, entry.bytes, {
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
    if (this.state.kind !== 'open' || !message.subject.endsWith(`.${this.#generation}`)) return;
    const answer = readAcknowledgement(message);
    const entry = this.#queue.at(0);
    if ('refusal' in answer) return this.#startResync(answer.refusal);
    if (!entry || answer.sequence !== this.#stored.sequence + 1) {
      return this.#startResync(`acknowledged out of order, as message ${answer.sequence}`);
    }
    this.#inFlight--;
    this.#lastAnswerAt = Date.now();
    this.#report(entry, answer.sequence);
    if (this.#inFlight < this.#options.window / 2) this.#schedulePump();
  }

  /** Reports the entry at the head as stored. Never throws: an error would end the client's reading of the connection. */
  #report(entry: Entry, sequence: number): void {
    this.#queue.shift();
    this.#stored = { sequence, id: entry.id };
    try {
      this.#options.handlers.onStored(entry, sequence);
    } catch (cause) {
      this.#fence(notFollowed(this.#stored, cause));
    }
  }

  #onWatch(): void {
    if (this.state.kind !== 'open' || this.#inFlight === 0) return;
    if (Date.now() - this.#lastAnswerAt > this.#options.timeoutMs)
      this.#startResync('no acknowledgement in time');
  }

  #startResync(reason: string): void {
    if (this.state.kind !== 'open') return;
    this.#setState({ kind: 'resyncing', reason });
    void this.#resync(reason);
  }

  async #resync(reason: string): Promise<void> {
    while (!this.#isOver()) {
      if (this.#options.connection.isClosed()) return this.#fence(closedForGood());
      try {
        // Nothing is sent into a broken connection: the client would keep it and send it all after reconnecting.
        if (this.#isConnected) return await this.#recover(reason);
      } catch (error) {
        if (isStreamMissing(error))
          this.#fence(damaged(1, `the stream ${EVENT_STREAM} does not exist any more`));
        else if (error instanceof SignalboxError && FINAL.has(error.code)) this.#fence(error);
        else this.#noteReason(messageOf(error));
      }
      await delay(RESYNC_PAUSE_MS, undefined, { ref: false });
    }
  }

  /** Finds out what is stored, stores the next entry alone, and continues as before. */
  async #recover(reason: string): Promise<void> {
    await this.#reportStored(reason);
    const entry = this.#queue.at(0);
    if (entry && !this.#isOver()) {
      await storeAlone(this.#options.client, entry, this.#stored.sequence);
      if (!this.#isOver()) this.#report(entry, this.#stored.sequence + 1);
    }
    if (!this.#isOver()) this.#reopen();
  }

  /** Reports what was stored of the entries in flight. @throws SignalboxError `log_fenced`, `log_corrupt` */
  async #reportStored(reason: string): Promise<void> {
    const tip = await readTip(this.#options.manager);
    while (this.#stored.sequence < tip.sequence) {
      const ids = await readIds(this.#options.manager, this.#stored.sequence + 1, tip.sequence);
      for (const id of ids) {
        if (this.#isOver()) return;
        const entry = this.#queue.at(0);
        const sequence = this.#stored.sequence + 1;
        if (entry?.id !== id) throw fenced(writtenByAnother({ sequence, id }, reason));
        this.#report(entry, sequence);
      }
    }
    // The tip's id must be ours even if nothing new was stored: an equal length is not an equal log.
    if (!isSameTip(tip, this.#stored)) throw otherLog(this.#stored, tip);
  }

  #reopen(): void {
    this.#generation++;
    this.#inFlight = 0;
    this.#expected = this.#stored;
    this.#setState({ kind: 'open' });
    this.#pump();
  }

  #isOver(): boolean {
    return this.isClosed || this.state.kind === 'fenced';
  }

  #fence(error: SignalboxError): void {
    if (this.#isOver()) return;
    this.#release();
    this.#setState({ kind: 'fenced', error });
  }

  #release(): void {
    clearInterval(this.#watch);
    this.#answers?.unsubscribe();
    this.#statuses?.stop();
    this.#queue.clear();
  }

  #noteReason(reason: string): void {
    if (this.state.kind === 'resyncing' && this.state.reason !== reason) {
      this.#setState({ kind: 'resyncing', reason });
    }
  }

  #setState(state: JournalState): void {
    this.state = state;
    this.#options.handlers.onState(state);
  }
}
