/** A log in memory for the contract suite, whose journals may be wrapped. */
import type { Journal, JournalEntry, JournalHandlers } from '../../src/journal/journal.ts';
import { RecordingJournal } from '../support/history/recording-journal.ts';
import { MemoryJournal, MemoryLog } from '../support/memory-journal.ts';
import type { FreshLog, Gate, LogUnderTest } from './log-under-test.ts';

type OpenInner = (handlers: JournalHandlers<JournalEntry>) => Promise<Journal<JournalEntry>>;
type Wrap = (openInner: OpenInner, handlers: JournalHandlers<JournalEntry>) => Promise<Journal<JournalEntry>>;

export function memoryLogs(wrap: Wrap = (openInner, handlers) => openInner(handlers)): FreshLog {
  return () => freshLog(wrap);
}

async function freshLog(wrap: Wrap): Promise<LogUnderTest> {
  const log = new MemoryLog();
  const opened: RecordingJournal[] = [];
  const open = async (defer?: (work: () => void) => void): Promise<RecordingJournal> => {
    const recording = await RecordingJournal.open((handlers) =>
      wrap(async (inner) => new MemoryJournal(log, inner, defer), handlers),
    );
    opened.push(recording);
    return recording;
  };
  return {
    open: () => open(),
    async openBehindGate() {
      const held: (() => void)[] = [];
      let isOpen = true;
      const writer = await open((work) => (isOpen ? setImmediate(work) : held.push(work)));
      const gate: Gate = {
        shut() {
          isOpen = false;
        },
        open() {
          isOpen = true;
          for (const work of held.splice(0)) setImmediate(work);
        },
      };
      return { writer, gate };
    },
    messages: async () => [...log.messages],
    idAt: async (sequence) => log.messages[sequence - 1]?.id,
    async cut() {
      log.reachable = false;
    },
    async restore() {
      log.reachable = true;
    },
    async intrude(entry) {
      log.store(entry);
    },
    async remove(sequence) {
      log.messages.splice(sequence - 1, 1);
    },
    async replaceWith(entries) {
      log.messages.length = 0;
      for (const entry of entries) log.store(entry);
    },
    async [Symbol.asyncDispose]() {
      for (const { journal } of opened) await journal.close();
    },
  };
}
