/**
 * A journal in memory, for tests and simulations: the same promises (see journal.ts), and a log that can be shared
 * by several journals, cut off, delayed and tampered with.
 */
import { SignalboxError } from '../contracts/errors.ts';
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

/** The log that journals write to: what a server is to the JetStream journal. */
export class MemoryLog {
  readonly messages: StoredMessage[] = [];
  /** While false nothing is stored: journals resync until it is true again. */
  reachable = true;
  writer: symbol | null = null;

  tip(): Tip {
    const last = this.messages.at(-1);
    return last ? { sequence: last.sequence, id: last.id } : { sequence: 0, id: '' };
  }

  store(entry: JournalEntry): number {
    const sequence = this.messages.length + 1;
    this.messages.push({ sequence, id: entry.id, subject: entry.subject, bytes: entry.bytes });
    return sequence;
  }
}

export class MemoryJournal<Entry extends JournalEntry> implements Journal<Entry> {
  #state: JournalState = { kind: 'reader' };
  readonly #writer = Symbol('writer');
  readonly #queue: Entry[] = [];
  readonly #log: MemoryLog;
  readonly #handlers: JournalHandlers<Entry>;
  /** Runs the storing of what is queued, later. Injected, so that a simulation decides when. */
  readonly #defer: (work: () => void) => void;
  #scheduled = false;

  constructor(
    log: MemoryLog,
    handlers: JournalHandlers<Entry>,
    defer: (work: () => void) => void = (work) => setImmediate(work),
  ) {
    this.#log = log;
    this.#handlers = handlers;
    this.#defer = defer;
  }

  get state(): JournalState {
    return this.#state;
  }

  get backlog(): number {
    return this.#queue.length;
  }

  async tip(): Promise<Tip> {
    return this.#log.tip();
  }

  async *read(range: ReadRange): AsyncIterable<StoredMessage> {
    const to = range.to ?? this.#log.messages.length;
    for (let sequence = range.from; sequence <= to; sequence++) {
      const message = this.#log.messages[sequence - 1];
      if (!message) throw new SignalboxError('log_corrupt', `the log has no message ${sequence}`);
      yield message;
    }
  }

  async *readBySubject(prefix: string): AsyncIterable<StoredMessage> {
    for (const message of [...this.#log.messages]) {
      if (message.subject.startsWith(`${prefix}.`)) yield message;
    }
  }

  async takeOver(tip: Tip, entry: Entry): Promise<TakeOver> {
    const present = this.#log.tip();
    if (present.sequence !== tip.sequence || present.id !== tip.id) return { ok: false, tip: present };
    this.#log.writer = this.#writer;
    this.#log.store(entry);
    this.#setState({ kind: 'open' });
    return { ok: true };
  }

  append(entry: Entry): void {
    if (this.#state.kind === 'fenced') return;
    this.#queue.push(entry);
    this.#schedule();
  }

  async close(): Promise<void> {
    this.#queue.length = 0;
    if (this.#state.kind !== 'fenced') this.#setState({ kind: 'reader' });
  }

  /** Stores what waits. Called by itself; a test calls it after it has made the log reachable again. */
  pump(): void {
    this.#scheduled = false;
    if (this.#state.kind === 'fenced' || this.#state.kind === 'reader') return;
    if (!this.#log.reachable) {
      if (this.#state.kind === 'open')
        this.#setState({ kind: 'resyncing', reason: 'the log is unreachable' });
      this.#schedule();
      return;
    }
    if (this.#log.writer !== this.#writer) {
      const error = new SignalboxError('log_fenced', 'another writer took over the log');
      this.#queue.length = 0;
      this.#setState({ kind: 'fenced', error });
      return;
    }
    if (this.#state.kind === 'resyncing') this.#setState({ kind: 'open' });
    for (let entry = this.#queue.shift(); entry; entry = this.#queue.shift()) {
      this.#handlers.onStored(entry, this.#log.store(entry));
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#defer(() => this.pump());
  }

  #setState(state: JournalState): void {
    this.#state = state;
    this.#handlers.onState(state);
  }
}
