/**
 * Invariant journal/durable-before-ack: this journal reports an entry only when it is on the disk: a sync that covers it
 * begins after it was acknowledged. (The acknowledgement of a server that syncs in intervals survives the crash of any
 * process, but not a power cut.)
 *
 * While one sync runs, newly acknowledged entries wait for the next, so that many share one. A disk that fails to sync
 * ends the writing: what it still has of the last entries is unknown.
 */
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { notFollowed } from '../failures.ts';
import type {
  FillGap,
  Journal,
  JournalEntry,
  JournalHandlers,
  JournalState,
  ReadRange,
  StoredMessage,
  TakeOver,
  Tip,
} from '../journal.ts';

type Acknowledged<Entry> = readonly [entry: Entry, sequence: number];

export class GroupCommit<Entry extends JournalEntry> implements Journal<Entry> {
  readonly #handlers: JournalHandlers<Entry>;
  readonly #sync: () => Promise<void>;
  #inner: Journal<Entry> | null = null;
  #acknowledged: Acknowledged<Entry>[] = [];
  /** Number of acknowledged entries that the running sync covers. */
  #covered = 0;
  #isSyncing = false;
  #failure: SignalboxError | null = null;
  #isClosed = false;

  private constructor(handlers: JournalHandlers<Entry>, sync: () => Promise<void>) {
    this.#handlers = handlers;
    this.#sync = sync;
  }

  /**
   * @param openInner opens the journal that stores
   * @param sync syncs everything that is stored to the disk; rejects if the disk fails
   */
  static async open<Entry extends JournalEntry>(
    openInner: (handlers: JournalHandlers<Entry>) => Promise<Journal<Entry>>,
    handlers: JournalHandlers<Entry>,
    sync: () => Promise<void>,
  ): Promise<GroupCommit<Entry>> {
    const journal = new GroupCommit(handlers, sync);
    journal.#inner = await openInner({
      onStored: (entry, sequence) => journal.#onAcknowledged(entry, sequence),
      onState: (state) => journal.#onState(state),
    });
    return journal;
  }

  get state(): JournalState {
    return this.#failure ? { kind: 'fenced', error: this.#failure } : this.#opened.state;
  }

  get backlog(): number {
    return this.#opened.backlog + this.#acknowledged.length + this.#covered;
  }

  tip(): Promise<Tip> {
    return this.#opened.tip();
  }

  read(range: ReadRange, fill?: FillGap): AsyncIterable<StoredMessage> {
    return this.#opened.read(range, fill);
  }

  readBySubject(prefix: string, from?: number): AsyncIterable<StoredMessage> {
    return this.#opened.readBySubject(prefix, from);
  }

  readPresent(range: ReadRange): AsyncIterable<StoredMessage> {
    return this.#opened.readPresent(range);
  }

  readByFilter(filter: string): AsyncIterable<StoredMessage> {
    return this.#opened.readByFilter(filter);
  }

  /** If a power cut undoes it, the next start repeats it. */
  erase(sequence: number): Promise<void> {
    return this.#opened.erase(sequence);
  }

  holds(subject: string): Promise<boolean> {
    return this.#opened.holds(subject);
  }

  async takeOver(tip: Tip, entry: Entry): Promise<TakeOver> {
    const result = await this.#opened.takeOver(tip, entry);
    if (result.ok) await this.#sync();
    return result;
  }

  append(entry: Entry): void {
    if (!this.#failure) this.#opened.append(entry);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#acknowledged = [];
    await this.#opened.close();
  }

  get #opened(): Journal<Entry> {
    if (!this.#inner) throw new SignalboxError('internal', 'the journal was used before it was open');
    return this.#inner;
  }

  #onAcknowledged(entry: Entry, sequence: number): void {
    this.#acknowledged.push([entry, sequence]);
    if (!this.#isSyncing) void this.#syncAll();
  }

  /** Never rejects. */
  async #syncAll(): Promise<void> {
    this.#isSyncing = true;
    // Entries that are acknowledged within the same turn share the first sync.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#acknowledged.length > 0 && !this.#isOver()) {
      const batch = this.#acknowledged;
      this.#acknowledged = [];
      this.#covered = batch.length;
      try {
        await this.#sync();
      } catch (cause) {
        this.#fail(unsynced(cause));
      }
      for (const [entry, sequence] of batch) this.#report(entry, sequence);
      this.#covered = 0;
    }
    this.#isSyncing = false;
  }

  #report(entry: Entry, sequence: number): void {
    if (this.#isOver()) return;
    this.#covered--;
    try {
      this.#handlers.onStored(entry, sequence);
    } catch (cause) {
      this.#fail(notFollowed({ sequence, id: entry.id }, cause));
    }
  }

  #onState(state: JournalState): void {
    if (state.kind === 'fenced') this.#acknowledged = [];
    if (!this.#failure) this.#handlers.onState(state);
  }

  #isOver(): boolean {
    return this.#isClosed || this.#failure !== null || this.#inner?.state.kind === 'fenced';
  }

  #fail(error: SignalboxError): void {
    this.#acknowledged = [];
    if (this.#isOver()) return;
    this.#failure = error;
    void this.#inner?.close();
    this.#handlers.onState({ kind: 'fenced', error });
  }
}

function unsynced(cause: unknown): SignalboxError {
  return new SignalboxError(
    'log_fenced',
    `the disk of the event log fails to sync: ${messageOf(cause)}. Repair the disk, then start Signalbox again: it continues from what the log holds`,
    { cause },
  );
}
