/** A log in memory, as the past is read from it. */
import type { PastLog } from '../../../src/app/events/past.ts';
import type { StoredRecord } from '../../../src/contracts/events/events.ts';
import { FakeClock } from '../fake-clock.ts';

export class PastOf implements PastLog {
  readonly clock = new FakeClock();
  readonly environment = { clock: this.clock };
  readonly state: { readonly projections: { sequence: number } };
  readonly log: PastLog['log'];
  readonly #records: readonly StoredRecord[];
  readonly #closed = new AbortController();
  #listener: (record: StoredRecord) => void = () => {};
  /** Sequences that were read, in that order. */
  readonly read: number[] = [];
  /** Awaited before each record is given. */
  gate: (sequence: number) => Promise<void> = async () => {};

  constructor(records: readonly StoredRecord[]) {
    this.#records = records;
    this.state = { projections: { sequence: records.length } };
    this.log = {
      read: ({ from = 1, to = records.length }) => this.#read(from, to),
      onRecord: (listener) => {
        this.#listener = listener;
        return () => {
          this.#listener = () => {};
        };
      },
      closed: this.#closed.signal,
    };
  }

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
