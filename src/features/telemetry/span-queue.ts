/** Spans between the log and the collector, with the position in the log up to which all spans are exported. */
import { deferred } from '../../base/deferred.ts';
import type { Span } from './span.ts';

interface Waiting {
  readonly span: Span;
  readonly sequence: number;
}

/** The reader of the log stops while the queue is full; one record may exceed the limit. */
export class SpanQueue {
  readonly #limit: number;
  #waiting: Waiting[] = [];
  /** The last record that was read. */
  #seen: number;
  #changed = deferred();

  /** @param position the last record whose spans are exported */
  constructor(limit: number, position: number) {
    this.#limit = limit;
    this.#seen = position;
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** The last record before the first one with a waiting span. */
  get position(): number {
    const [first] = this.#waiting;
    return first ? first.sequence - 1 : this.#seen;
  }

  get isFull(): boolean {
    return this.#waiting.length >= this.#limit;
  }

  /**
   * @param sequence of the record that the spans come from
   * @param seen the last sequence of which everything was seen
   */
  push(sequence: number, spans: readonly Span[] = [], seen = sequence): void {
    this.#seen = seen;
    if (spans.length === 0) return;
    for (const span of spans) this.#waiting.push({ span, sequence });
    this.wake();
  }

  /** The oldest spans, which stay in the queue until `done` is called. */
  peek(count: number): readonly Span[] {
    return this.#waiting.slice(0, count).map(({ span }) => span);
  }

  /** Removes the oldest spans. */
  done(count: number): void {
    this.#waiting = this.#waiting.slice(count);
    this.wake();
  }

  /** Resolves with the next change, or with `wake`. */
  changed(): Promise<void> {
    return this.#changed.promise;
  }

  wake(): void {
    this.#changed.resolve();
    this.#changed = deferred();
  }
}
