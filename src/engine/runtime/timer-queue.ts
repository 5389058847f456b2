/**
 * Deadlines, one for each key, on a single timer of the clock. The queue only wakes; the callback checks the state
 * again. No sleep is longer than a minute: timers do not notice that the clock was set, or that the machine slept.
 */
import type { Clock } from '../../base/environment.ts';
import { KeyedHeap } from '../../base/heap.ts';

interface Deadline {
  readonly key: string;
  readonly at: number;
  readonly wake: () => void;
}

const MAX_SLEEP_MS = 60_000;

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

  /**
   * Sets or replaces the deadline of a key.
   * @param at epoch milliseconds; a past deadline wakes as soon as possible, never within this call
   */
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
    const delay = Math.min(next.at - this.#clock.now(), MAX_SLEEP_MS);
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
      // A callback that throws must not prevent the others.
      this.#arm();
    }
  }
}
