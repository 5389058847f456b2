/** A clock that tests move by hand. */
import type { Clock } from '../../src/base/environment.ts';

/** Stands still until `advance` is called. */
export class FakeClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly wake: () => void }>();

  now(): number {
    return this.#now;
  }

  /** Number of timers that have not fired. */
  get pending(): number {
    return this.#timers.size;
  }

  schedule(delayMs: number, wake: () => void): () => void {
    const timer = { at: this.#now + Math.max(delayMs, 0), wake };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves on by `ms` and fires what comes due on the way, each timer at its own time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
    this.#now = end;
  }

  #next(end: number): { readonly at: number; readonly wake: () => void } | undefined {
    return [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  }
}
