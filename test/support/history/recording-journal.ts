/** A journal that remembers what it was told, so that tests can wait for it and look at it afterwards. */
import type {
  Journal,
  JournalEntry,
  JournalHandlers,
  JournalState,
  Tip,
} from '../../../src/journal/journal.ts';

export type OpenJournal = (handlers: JournalHandlers<JournalEntry>) => Promise<Journal<JournalEntry>>;

/** An entry as any event would be; `text` makes up its bytes. */
export function entryOf(id: string, text = `{"id":"${id}"}`): JournalEntry {
  return { id, subject: `signalbox.v1.evt.demo.task.${id}.noted`, bytes: Buffer.from(text) };
}

export class RecordingJournal {
  /** What `onStored` said, in its order. */
  readonly reports: Tip[] = [];
  readonly states: JournalState[] = [];
  readonly appended: string[] = [];
  /** Called within `onStored`. */
  onReport: (report: Tip) => void = () => {};
  #journal: Journal<JournalEntry> | undefined;
  readonly #waiting = new Set<() => void>();

  static async open(openJournal: OpenJournal): Promise<RecordingJournal> {
    const recording = new RecordingJournal();
    recording.#journal = await openJournal({
      onStored: ({ id }, sequence) => {
        recording.reports.push({ sequence, id });
        recording.onReport({ sequence, id });
        recording.#changed();
      },
      onState: (state) => {
        recording.states.push(state);
        recording.#changed();
      },
    });
    return recording;
  }

  get journal(): Journal<JournalEntry> {
    if (!this.#journal) throw new Error('not open yet');
    return this.#journal;
  }

  /** Becomes the writer at the present end of the log, even if others try the same. */
  async takeOver(id: string): Promise<number> {
    for (;;) {
      const tip = await this.journal.tip();
      if ((await this.journal.takeOver(tip, entryOf(id))).ok) return tip.sequence + 1;
    }
  }

  /** Appends `<prefix><n>` for the next `count` numbers. */
  append(prefix: string, count = 1): void {
    for (let done = 0; done < count; done++) {
      const id = `${prefix}${this.appended.length}`;
      this.appended.push(id);
      this.journal.append(entryOf(id));
    }
  }

  get reportedIds(): string[] {
    return this.reports.map(({ id }) => id);
  }

  /** Resolves when everything that was appended is reported. */
  allReported(): Promise<void> {
    return this.when(() => this.reports.length >= this.appended.length);
  }

  async state<Kind extends JournalState['kind']>(kind: Kind): Promise<Extract<JournalState, { kind: Kind }>> {
    await this.when(() => this.journal.state.kind === kind);
    return this.journal.state as Extract<JournalState, { kind: Kind }>;
  }

  /** Resolves when the condition holds; it is asked now and whenever the journal says something. */
  when(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  #changed(): void {
    for (const look of [...this.#waiting]) look();
  }
}
