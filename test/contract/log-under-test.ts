/** What the contract suite needs of a log. */
import type { JournalEntry, StoredMessage, Tip } from '../../src/journal/journal.ts';
import type { RecordingJournal } from '../support/history/recording-journal.ts';

/** An empty log, and what can happen to it from outside. */
export interface LogUnderTest extends AsyncDisposable {
  /** Opens one more journal on the log; it is closed with the log. */
  open(): Promise<RecordingJournal>;
  /** The same behind a gate: what the journal sends while the gate is shut arrives when it opens. */
  openBehindGate(): Promise<{ readonly writer: RecordingJournal; readonly gate: Gate }>;
  /** The whole log, read without a journal. */
  messages(): Promise<StoredMessage[]>;
  idAt(sequence: number): Promise<string | undefined>;
  /** Makes the log unreachable, without warning. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** Stores a message without regard for writers and chains. */
  intrude(entry: JournalEntry): Promise<void>;
  remove(sequence: number): Promise<void>;
  /** Replaces this log by another one. */
  replaceWith(entries: readonly JournalEntry[]): Promise<void>;
}

export interface Gate {
  shut(): void;
  open(): void;
}

export type FreshLog = () => Promise<LogUnderTest>;

/** The tip of an empty log. */
export const NOTHING: Tip = { sequence: 0, id: '' };

/** A journal that is the writer of an otherwise empty log, by the entry `epoch`. */
export async function writerOf(log: LogUnderTest): Promise<RecordingJournal> {
  const writer = await log.open();
  await writer.takeOver('epoch');
  return writer;
}

export async function idsIn(log: LogUnderTest): Promise<string[]> {
  return (await log.messages()).map(({ id }) => id);
}

export async function allOf<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
