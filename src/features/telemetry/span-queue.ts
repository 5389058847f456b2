/**
 * Spans between the log and the collector: few, and with the place in the log up to which everything is done.
 *
 * Q1 The position never passes a record with a span that is not done.
 * Q2 It holds no more than its limit, and what one record gives: who reads the log waits for room.
 */
import { deferred } from '../../base/deferred.ts';
import type { Span } from './span.ts';

interface Waiting {
  readonly span: Span;
  readonly sequence: number;
}

export class SpanQueue {
  readonly #limit: number;
  #waiting: Waiting[] = [];
  /** Everything up to here was looked at. */
  #seen: number;
  #changed = deferred();

  /** @param position up to which everything is done */
  constructor(limit: number, position: number) {
    this.#limit = limit;
    this.#seen = position;
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** Sequence up to which nothing is left to be done. */
  get position(): number {
    const [first] = this.#waiting;
    return first ? first.sequence - 1 : this.#seen;
  }

  get isFull(): boolean {
    return this.#waiting.length >= this.#limit;
  }

  /** @param sequence of the record that gives these spans, or of one that gives none */
  push(sequence: number, spans: readonly Span[] = []): void {
    this.#seen = sequence;
    if (spans.length === 0) return;
    for (const span of spans) this.#waiting.push({ span, sequence });
    this.#wake();
  }

  /** The oldest, which stay until they are done. */
  peek(count: number): readonly Span[] {
    return this.#waiting.slice(0, count).map(({ span }) => span);
  }

  /** The oldest are with the collector, or given up. */
  done(count: number): void {
    this.#waiting = this.#waiting.slice(count);
    this.#wake();
  }

  /** Resolves with the next change. */
  changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Wakes who waits: nothing changes any more. */
  close(): void {
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = deferred();
  }
}
