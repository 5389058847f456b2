import type { LogReader, StoredMessage } from '../../journal/journal.ts';
import { withTombstones } from '../../journal/redactions.ts';
import { type EventSelection, type EventSource, isSelected, subjectOf } from './event-source.ts';

/** What a journal holds: for programs that have one open, and for simulations. */
export function journalSource(journal: LogReader, name = 'the journal'): EventSource {
  const reader = withTombstones(journal);
  async function* readSubject(
    subject: string,
    { from, to = Number.POSITIVE_INFINITY }: EventSelection,
  ): AsyncIterable<StoredMessage> {
    for await (const message of reader.readBySubject(subject, from)) {
      if (message.sequence > to) return;
      yield message;
    }
  }
  return {
    name,
    lastSequence: async () => (await reader.tip()).sequence,
    read: (selection: EventSelection = {}) => {
      const { from = 1, to } = selection;
      const subject = subjectOf(selection);
      if (subject !== undefined) return readSubject(subject, selection);
      return reader.read(to === undefined ? { from } : { from, to });
    },
  };
}

/** Messages that are in memory, the first of the log first. */
export function memorySource(messages: readonly StoredMessage[], name = 'the history'): EventSource {
  async function* read(selection: EventSelection = {}): AsyncIterable<StoredMessage> {
    for (const message of messages) if (isSelected(message, selection)) yield message;
  }
  return { name, lastSequence: async () => messages.at(-1)?.sequence ?? 0, read };
}
