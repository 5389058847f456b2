/** Journals that break one promise each, which the simulation must detect. */

import type { LogEntry } from '../../../src/engine/runtime/commit-pipeline.ts';
import type { Journal, JournalHandlers, JournalState, TakeOver, Tip } from '../../../src/journal/journal.ts';
import { MemoryJournal } from '../memory-journal.ts';
import { type JournalFactory, memoryJournal } from './node.ts';

/** The caller is answered when its event is sent, not when it is stored. */
export const answersTooEarly: JournalFactory = (log, handlers, defer) =>
  overriding(memoryJournal(log, handlers, defer), (journal, entry) => {
    journal.append(entry);
    queueMicrotask(() => answer(entry));
  });

function answer({ waiters }: LogEntry): void {
  for (const { waiter, record } of waiters) waiter.stored(record);
}

/** What follows from an event is seen and done when it is sent; only the caller waits until it is stored. */
export const actsTooEarly: JournalFactory = (log, handlers, defer) => {
  const told: JournalHandlers<LogEntry> = {
    ...handlers,
    onStored: answer,
  };
  let sequence = 0;
  return overriding(
    memoryJournal(log, told, defer),
    (journal, entry) => {
      journal.append(entry);
      const early = ++sequence;
      queueMicrotask(() => handlers.onStored({ ...entry, waiters: [] }, early));
    },
    (tip) => {
      sequence = tip.sequence + 1;
    },
  );
};

/** Stores at the end of the log, even if another process wrote there meanwhile. */
export const ignoresOtherWriters: JournalFactory = (log, handlers, defer) => {
  let state: JournalState = { kind: 'reader' };
  const waiting: LogEntry[] = [];
  const reader = new MemoryJournal<LogEntry>(log, handlers, defer);
  const pump = (): void => {
    if (!log.reachable) return log.whenReachable(pump);
    for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
      handlers.onStored(entry, log.store(entry));
    }
  };
  return {
    get state() {
      return state;
    },
    get backlog() {
      return waiting.length;
    },
    tip: () => reader.tip(),
    extent: () => reader.extent(),
    missing: () => reader.missing(),
    halt: (error) => reader.halt(error),
    read: (range, fill) => reader.read(range, fill),
    readPresent: (range) => reader.readPresent(range),
    readBySubject: (prefix, from) => reader.readBySubject(prefix, from),
    holds: (subject) => reader.holds(subject),
    readByFilter: (filter) => reader.readByFilter(filter),
    erase: (sequence) => reader.erase(sequence),
    async takeOver(_tip, entry) {
      log.store(entry);
      state = { kind: 'open' };
      return { ok: true };
    },
    append(entry) {
      if (waiting.push(entry) === 1) defer(pump);
    },
    async close() {
      waiting.length = 0;
    },
  };
};

function overriding(
  journal: Journal<LogEntry>,
  append: (journal: Journal<LogEntry>, entry: LogEntry) => void,
  onTakeOver: (tip: Tip) => void = () => {},
): Journal<LogEntry> {
  return {
    get state() {
      return journal.state;
    },
    get backlog() {
      return journal.backlog;
    },
    tip: () => journal.tip(),
    extent: () => journal.extent(),
    missing: () => journal.missing(),
    halt: (error) => journal.halt(error),
    read: (range, fill) => journal.read(range, fill),
    readPresent: (range) => journal.readPresent(range),
    readBySubject: (prefix, from) => journal.readBySubject(prefix, from),
    holds: (subject) => journal.holds(subject),
    readByFilter: (filter) => journal.readByFilter(filter),
    erase: (sequence) => journal.erase(sequence),
    takeOver(tip, entry): Promise<TakeOver> {
      onTakeOver(tip);
      return journal.takeOver(tip, entry);
    },
    append: (entry) => append(journal, entry),
    close: () => journal.close(),
  };
}
