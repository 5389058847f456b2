/** A log in memory, as the past is read from it. */
import type { PastLog } from '../../../src/app/events/past.ts';
import type { StoredRecord } from '../../../src/contracts/events/events.ts';
import { FakeClock } from '../fake-clock.ts';

export class PastOf implements PastLog {
  readonly clock = new FakeClock();
  readonly environment = { clock: this.clock };
  readonly projections: { sequence: number };
  readonly #records: readonly StoredRecord[];
  readonly #closed = new AbortController();
  readonly closed = this.#closed.signal;
  #listener: (record: StoredRecord) => void = () => {};
  /** Sequences that were read, in that order. */
  readonly read: number[] = [];
  /** Awaited before each record is given. */
  gate: (sequence: number) => Promise<void> = async () => {};

  constructor(records: readonly StoredRecord[]) {
    this.#records = records;
    this.projections = { sequence: records.length };
  }

  readonly readLog: PastLog['readLog'] = ({ from = 1, to = this.#records.length }) => this.#read(from, to);

  readonly onRecord: PastLog['onRecord'] = (listener) => {
    this.#listener = listener;
    return () => {
      this.#listener = () => {};
    };
  };

  tell(record: StoredRecord): void {
    this.#listener(record);
  }

  close(): void {
    this.#closed.abort();
  }

  async *#read(from: number, to: number): AsyncIterable<StoredRecord> {
    for (const record of this.#records.slice(from - 1, to)) {
      await this.gate(record.sequence);
      this.read.push(record.sequence);
      yield record;
    }
  }
}
