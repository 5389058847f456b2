/** A journal in memory, for tests and simulations. Several journals can share its log, which can be cut off and altered. */
import { EntryQueue } from '../../src/base/entry-queue.ts';
import { SignalboxError } from '../../src/contracts/errors.ts';
import { matchesSubject } from '../../src/contracts/messages/subjects.ts';
import { notFollowed, otherLog, refuseGap } from '../../src/journal/failures.ts';
import {
  type Extent,
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
} from '../../src/journal/journal.ts';

/** The log that journals write to; in place of a NATS server. */
export class MemoryLog {
  readonly messages: StoredMessage[] = [];
  #reachable = true;
  readonly #waiting = new Set<() => void>();

  /** While false, nothing is read or stored: journals resync until it is true again. */
  get reachable(): boolean {
    return this.#reachable;
  }

  set reachable(reachable: boolean) {
    this.#reachable = reachable;
    if (!reachable) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /** Calls `wake` once, when the log is reachable again. */
  whenReachable(wake: () => void): void {
    this.#waiting.add(wake);
  }

  tip(): Tip {
    const last = this.messages.at(-1);
    return last ? { sequence: last.sequence, id: last.id } : { sequence: 0, id: '' };
  }

  store(entry: JournalEntry): number {
    const sequence = this.tip().sequence + 1;
    this.messages.push({ sequence, id: entry.id, subject: entry.subject, bytes: entry.bytes });
    return sequence;
  }
}

export class MemoryJournal<Entry extends JournalEntry> implements Journal<Entry> {
  state: JournalState = { kind: 'reader' };
  readonly #queue = new EntryQueue<Entry>();
  /** The tip after this journal's last entry: the log must still end there for the next entry to be stored. */
  #stored: Tip = { sequence: 0, id: '' };
  readonly #log: MemoryLog;
  readonly #handlers: JournalHandlers<Entry>;
  /** Stores queued entries later. Injected, so that a simulation decides when. */
  readonly #defer: (work: () => void) => void;
  #scheduled = false;
  #closed = false;

  constructor(
    log: MemoryLog,
    handlers: JournalHandlers<Entry>,
    defer: (work: () => void) => void = (work) => setImmediate(work),
  ) {
    this.#log = log;
    this.#handlers = handlers;
    this.#defer = defer;
  }

  get backlog(): number {
    return this.#queue.length;
  }

  async tip(): Promise<Tip> {
    this.#assertReachable();
    return this.#log.tip();
  }

  async extent(): Promise<Extent> {
    this.#assertReachable();
    const { sequence: last } = this.#log.tip();
    const first = this.#log.messages[0]?.sequence ?? last + 1;
    return { first, last, messages: this.#log.messages.length };
  }

  async missing(): Promise<readonly number[]> {
    const { first, last } = await this.extent();
    const present = new Set(this.#log.messages.map(({ sequence }) => sequence));
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index).filter(
      (sequence) => !present.has(sequence),
    );
  }

  async *read(range: ReadRange, fill: FillGap = refuseGap): AsyncIterable<StoredMessage> {
    const to = Math.min(range.to ?? Number.POSITIVE_INFINITY, this.#log.tip().sequence);
    let expected = range.from;
    for await (const message of this.readPresent(range)) {
      for (; expected < message.sequence; expected++) yield await fill(expected, message.sequence);
      yield message;
      expected++;
    }
    for (; expected <= to; expected++) yield await fill(expected, null);
  }

  async *readPresent({ from, to }: ReadRange): AsyncIterable<StoredMessage> {
    this.#assertReachable();
    const end = to ?? Number.POSITIVE_INFINITY;
    yield* this.#log.messages.filter(({ sequence }) => sequence >= from && sequence <= end);
  }

  async *readBySubject(prefix: string, from = 1): AsyncIterable<StoredMessage> {
    this.#assertReachable();
    yield* this.#log.messages.filter(
      ({ sequence, subject }) => sequence >= from && matchesSubject(`${prefix}.>`, subject),
    );
  }

  async *readByFilter(filter: string): AsyncIterable<StoredMessage> {
    this.#assertReachable();
    yield* this.#log.messages.filter(({ subject }) => matchesSubject(filter, subject));
  }

  async holds(subject: string): Promise<boolean> {
    this.#assertReachable();
    return this.#log.messages.some((message) => message.subject === subject);
  }

  async erase(sequence: number): Promise<void> {
    this.#assertReachable();
    const index = this.#log.messages.findIndex((message) => message.sequence === sequence);
    if (index >= 0) this.#log.messages.splice(index, 1);
  }

  async takeOver(tip: Tip, entry: Entry): Promise<TakeOver> {
    this.#assertReachable();
    const present = this.#log.tip();
    if (!isSameTip(present, tip)) return { ok: false, tip: present };
    this.#stored = { sequence: this.#log.store(entry), id: entry.id };
    this.#setState({ kind: 'open' });
    if (this.#queue.length > 0) this.#schedule();
    return { ok: true };
  }

  append(entry: Entry): void {
    if (this.#closed || this.state.kind === 'fenced') return;
    this.#queue.push(entry);
    this.#schedule();
  }

  halt(error: SignalboxError): void {
    if (!this.#closed && this.state.kind !== 'fenced') this.#fence(error);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#queue.clear();
    if (this.state.kind !== 'fenced') this.#setState({ kind: 'reader' });
  }

  /** Stores the queued entries; called after `defer`, or when the log is reachable again. What is appended meanwhile waits. */
  pump(): void {
    this.#scheduled = false;
    for (let left = this.#queue.length; left > 0; left--) {
      // Checked for each entry: a handler may have closed the journal, cut the log off or let another journal take over.
      const entry = this.#isReady() ? this.#queue.shift() : undefined;
      if (!entry) return;
      this.#stored = { sequence: this.#log.store(entry), id: entry.id };
      try {
        this.#handlers.onStored(entry, this.#stored.sequence);
      } catch (cause) {
        this.#fence(notFollowed(this.#stored, cause));
      }
    }
  }

  /** Whether the next entry may be stored now; if not, the state says why. */
  #isReady(): boolean {
    if (this.state.kind !== 'open' && this.state.kind !== 'resyncing') return false;
    if (!this.#log.reachable) {
      if (this.state.kind === 'open') {
        this.#setState({ kind: 'resyncing', reason: 'the log is unreachable' });
      }
      this.#log.whenReachable(this.#schedule);
      return false;
    }
    const tip = this.#log.tip();
    if (!isSameTip(tip, this.#stored)) {
      this.#fence(otherLog(this.#stored, tip));
      return false;
    }
    if (this.state.kind === 'resyncing') this.#setState({ kind: 'open' });
    return true;
  }

  readonly #schedule = (): void => {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#defer(() => this.pump());
  };

  #fence(error: SignalboxError): void {
    this.#queue.clear();
    this.#setState({ kind: 'fenced', error });
  }

  #setState(state: JournalState): void {
    this.state = state;
    this.#handlers.onState(state);
  }

  #assertReachable(): void {
    if (!this.#log.reachable) throw new SignalboxError('nats_unavailable', 'the log is unreachable');
  }
}
