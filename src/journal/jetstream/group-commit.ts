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
import type { Journal, JournalEntry, JournalHandlers, JournalState } from '../journal.ts';

/**
 * @param openInner opens the journal that stores
 * @param sync syncs everything that is stored to the disk; rejects if the disk fails
 */
export async function openGroupCommit<Entry extends JournalEntry>(
  openInner: (handlers: JournalHandlers<Entry>) => Promise<Journal<Entry>>,
  handlers: JournalHandlers<Entry>,
  sync: () => Promise<void>,
): Promise<Journal<Entry>> {
  const batches = new Batches(handlers, sync);
  const inner = await openInner(batches);
  batches.inner = inner;
  return {
    get state(): JournalState {
      return batches.failure ? { kind: 'fenced', error: batches.failure } : inner.state;
    },
    get backlog() {
      return inner.backlog + batches.size;
    },
    tip: () => inner.tip(),
    extent: () => inner.extent(),
    missing: () => inner.missing(),
    read: (range, fill) => inner.read(range, fill),
    readPresent: (range) => inner.readPresent(range),
    readBySubject: (prefix, from) => inner.readBySubject(prefix, from),
    readByFilter: (filter) => inner.readByFilter(filter),
    holds: (subject) => inner.holds(subject),
    // If a power cut undoes it, the next start repeats it.
    erase: (sequence) => inner.erase(sequence),
    async takeOver(tip, entry) {
      const result = await inner.takeOver(tip, entry);
      if (result.ok) await sync();
      return result;
    },
    append(entry) {
      if (!batches.failure) inner.append(entry);
    },
    halt: (error) => inner.halt(error),
    close() {
      batches.close();
      return inner.close();
    },
  };
}

/** Acknowledged entries that wait for a sync. */
class Batches<Entry extends JournalEntry> implements JournalHandlers<Entry> {
  readonly #handlers: JournalHandlers<Entry>;
  readonly #sync: () => Promise<void>;
  inner: Journal<Entry> | null = null;
  failure: SignalboxError | null = null;
  #acknowledged: (readonly [entry: Entry, sequence: number])[] = [];
  /** Number of acknowledged entries that the running sync covers. */
  #covered = 0;
  #isSyncing = false;
  #isClosed = false;

  constructor(handlers: JournalHandlers<Entry>, sync: () => Promise<void>) {
    this.#handlers = handlers;
    this.#sync = sync;
  }

  get size(): number {
    return this.#acknowledged.length + this.#covered;
  }

  onStored(entry: Entry, sequence: number): void {
    this.#acknowledged.push([entry, sequence]);
    if (!this.#isSyncing) void this.#syncAll();
  }

  onState(state: JournalState): void {
    if (state.kind === 'fenced') this.#acknowledged = [];
    if (!this.failure) this.#handlers.onState(state);
  }

  close(): void {
    this.#isClosed = true;
    this.#acknowledged = [];
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

  #isOver(): boolean {
    return this.#isClosed || this.failure !== null || this.inner?.state.kind === 'fenced';
  }

  #fail(error: SignalboxError): void {
    this.#acknowledged = [];
    if (this.#isOver()) return;
    this.failure = error;
    void this.inner?.close();
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
