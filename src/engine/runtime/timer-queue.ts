/**
 * Deadlines, one a key, woken by a single timer of the clock.
 *
 * D1 A deadline is a fact of the state; this queue only wakes. What it wakes looks at the state again.
 * D2 Setting a key anew replaces its deadline; cancelling one that is not there does nothing.
 * D3 Nobody sleeps longer than a minute: timers do not notice that the clock was set, or that the machine slept.
 */

import type { Clock } from '../../base/environment.ts';
import { KeyedHeap } from '../../base/heap.ts';

interface Deadline {
  readonly key: string;
  readonly at: number;
  readonly wake: () => void;
}

/** Milliseconds. */
const LONGEST_SLEEP = 60_000;

export class TimerQueue {
  readonly #clock: Clock;
  readonly #deadlines = new KeyedHeap<Deadline>((a, b) => a.at - b.at);
  #cancelTimer: (() => void) | null = null;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#deadlines.size;
  }

  /** @param at epoch milliseconds; a past one wakes as soon as possible, never within this call. */
  set(key: string, at: number, wake: () => void): void {
    this.#deadlines.set({ key, at, wake });
    this.#arm();
  }

  cancel(key: string): void {
    this.#deadlines.delete(key);
  }

  clear(): void {
    this.#deadlines.clear();
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #arm(): void {
    const next = this.#deadlines.first();
    if (!next || next.at >= this.#timerAt) return;
    this.#cancelTimer?.();
    this.#timerAt = next.at;
    const delay = Math.min(next.at - this.#clock.now(), LONGEST_SLEEP);
    this.#cancelTimer = this.#clock.schedule(delay, () => this.#wake());
  }

  #wake(): void {
    this.#cancelTimer = null;
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    try {
      for (let next = this.#deadlines.first(); next && next.at <= now; next = this.#deadlines.first()) {
        this.#deadlines.delete(next.key);
        next.wake();
      }
    } finally {
      // One that throws must not keep the others from being woken.
      this.#arm();
    }
  }
}
