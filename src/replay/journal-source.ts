import type { Journal, JournalEntry, StoredMessage } from '../journal/journal.ts';
import { type EventSelection, type EventSource, isSelected, subjectOf } from './event-source.ts';

/** What a journal holds: for programs that have one open, and for simulations. */
export function journalSource(journal: Journal<JournalEntry>, name = 'the journal'): EventSource {
  async function* read(selection: EventSelection = {}): AsyncIterable<StoredMessage> {
    const { from = 1, to } = selection;
    const subject = subjectOf(selection);
    const messages =
      subject === undefined
        ? journal.read(to === undefined ? { from } : { from, to })
        : journal.readBySubject(subject);
    for await (const message of messages) if (isSelected(message, selection)) yield message;
  }
  return { name, lastSequence: async () => (await journal.tip()).sequence, read };
}

/** Messages that are in memory, the first of the log first. */
export function memorySource(messages: readonly StoredMessage[], name = 'the history'): EventSource {
  async function* read(selection: EventSelection = {}): AsyncIterable<StoredMessage> {
    for (const message of messages) if (isSelected(message, selection)) yield message;
  }
  return { name, lastSequence: async () => messages.at(-1)?.sequence ?? 0, read };
}
