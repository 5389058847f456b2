/** The id chain: every writer begins with `supervisor.started` and counts its events 0, 1, 2 … in base 36. */
import type { StoredRecord } from '../../contracts/events/events.ts';

const BASE = 36;

export class IdCount {
  /** null where it is not known who writes. */
  #writer: string | null = null;
  #count = 0;
  #isComplete: boolean;

  /** @param isWhole whether nothing before the first record is missing */
  constructor(isWhole: boolean) {
    this.#isComplete = isWhole;
  }

  /** An event is missing, or left out. */
  skip(): void {
    this.#isComplete = false;
  }

  /** @returns what is wrong; null where all is well */
  check({ id, event }: StoredRecord): string | null {
    const at = id.lastIndexOf('-');
    const writer = id.slice(0, at);
    const count = Number.parseInt(id.slice(at + 1), BASE);
    if (at < 1 || `${writer}-${count.toString(BASE)}` !== id)
      return `the id ${id} is not one that a writer gives`;
    const problem = this.#problem(id, writer, count, event.type === 'supervisor.started');
    this.#writer = writer;
    this.#count = count;
    this.#isComplete = true;
    return problem;
  }

  #problem(id: string, writer: string, count: number, isStart: boolean): string | null {
    if (isStart) {
      return count === 0 && writer !== this.#writer ? null : `the first event of a writer has the id ${id}`;
    }
    if (this.#writer !== writer) {
      return this.#isComplete ? `the id ${id} is of a writer that did not start here` : null;
    }
    const isNext = this.#isComplete ? count === this.#count + 1 : count > this.#count;
    return isNext ? null : `the id ${id} follows ${writer}-${this.#count.toString(BASE)}`;
  }
}
