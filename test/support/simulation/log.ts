/** A log in memory at which things go wrong, and which tells of every message that it has stored. */
import type { JournalEntry } from '../../../src/journal/journal.ts';
import { MemoryLog } from '../memory-journal.ts';

/** What happens to the writer at one append: it dies before the message is stored, or before it learns that it is. */
export type AppendFault = 'lost' | 'unanswered';

export class SimulatedLog extends MemoryLog {
  /** By the number of the append at which it happens. */
  readonly faults = new Map<number, AppendFault>();
  /** The same for the next append with a kind of event, by its name in the subject. */
  readonly traps = new Map<string, AppendFault>();
  /** Appends that were tried. */
  appends = 0;
  /** Called with the id of the writer that dies. */
  onCrash: (writer: string) => void = () => {};
  onMessage: (sequence: number) => void = () => {};
  readonly #marks = new Set<string>();

  override store(entry: JournalEntry): number {
    const fault = this.#faultOf(entry);
    const writer = entry.id.slice(0, entry.id.lastIndexOf('-'));
    if (fault === 'lost') {
      this.onCrash(writer);
      return this.tip().sequence + 1;
    }
    const sequence = super.store(entry);
    for (const [mark] of Buffer.from(entry.bytes).toString().matchAll(MARK)) this.#marks.add(mark);
    this.onMessage(sequence);
    if (fault === 'unanswered') this.onCrash(writer);
    return sequence;
  }

  #faultOf({ subject }: JournalEntry): AppendFault | undefined {
    const kind = subject.split('.').find((name) => this.traps.has(name)) ?? '';
    const fault = this.faults.get(++this.appends) ?? this.traps.get(kind);
    this.traps.delete(kind);
    return fault;
  }

  /** Whether a message with this mark is stored. */
  has(mark: string): boolean {
    return this.#marks.has(mark);
  }
}

const MARK = /#m\d+#/g;

/** A text by which a command is found again in the log. */
export function markOf(number: number): string {
  return `#m${number}#`;
}
