/**
 * Time that moves only when it is told to.
 *
 * Timers follow the time that really passes; `now` is what the wall clock shows, which may be set forward or
 * back meanwhile.
 */
import type { Clock } from '../../../src/base/environment.ts';
import { Heap } from '../../../src/base/heap.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  wake: (() => void) | null;
}

/** 2026-01-01T00:00:00Z */
const EPOCH = 1_767_225_600_000;

export class SimulatedClock implements Clock {
  readonly #timers = new Heap<Timer>((a, b) => a.at - b.at || a.order - b.order);
  #passed = 0;
  #offset = EPOCH;
  #order = 0;
  #size = 0;

  now(): number {
    return Math.floor(this.#passed) + this.#offset;
  }

  /** Milliseconds that have passed since the beginning of this world. */
  get passed(): number {
    return this.#passed;
  }

  /** Timers that are set. */
  get size(): number {
    return this.#size;
  }

  schedule(delayMs: number, wake: () => void): () => void {
    const timer: Timer = { at: this.#passed + Math.max(delayMs, 0), order: this.#order++, wake };
    this.#timers.push(timer);
    this.#size++;
    return () => {
      if (timer.wake === null) return;
      timer.wake = null;
      this.#size--;
    };
  }

  /** Sets the wall clock; timers do not notice. */
  jump(ms: number): void {
    this.#offset += ms;
  }

  /** When the next timer wakes, in milliseconds that will have passed by then; null if none is set. */
  nextAt(): number | null {
    for (let next = this.#timers.peek(); next; next = this.#timers.peek()) {
      if (next.wake !== null) return next.at;
      this.#timers.pop();
    }
    return null;
  }

  /** Goes on to the next timer and wakes it. @returns false if none is set */
  runNext(): boolean {
    if (this.nextAt() === null) return false;
    const timer = this.#timers.pop();
    if (!timer?.wake) return false;
    const { wake } = timer;
    timer.wake = null;
    this.#size--;
    this.#passed = Math.max(this.#passed, timer.at);
    wake();
    return true;
  }

  /** Lets time pass without firing timers; for the rest of an interval in which none is set. */
  passTo(passed: number): void {
    this.#passed = Math.max(this.#passed, passed);
  }
}

/** The clock as one process sees it: its timers die with it, and wait while it is stopped (SIGSTOP). */
export class ProcessClock implements Clock {
  readonly #clock: SimulatedClock;
  readonly #pending = new Set<() => void>();
  readonly #held: (() => void)[] = [];
  #isPaused = false;
  #isDead = false;

  constructor(clock: SimulatedClock) {
    this.#clock = clock;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  now(): number {
    return this.#clock.now();
  }

  schedule(delayMs: number, wake: () => void): () => void {
    if (this.#isDead) return () => {};
    let isCancelled = false;
    const run = (): void => {
      this.#pending.delete(cancel);
      if (isCancelled) return;
      if (this.#isPaused) this.#held.push(run);
      else wake();
    };
    const cancel = this.#clock.schedule(delayMs, run);
    this.#pending.add(cancel);
    return () => {
      isCancelled = true;
      this.#pending.delete(cancel);
      cancel();
    };
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    for (const run of this.#held.splice(0)) this.schedule(0, run);
  }

  /** Nothing that this process has planned happens any more. */
  kill(): void {
    this.#isDead = true;
    this.#held.length = 0;
    for (const cancel of this.#pending) cancel();
    this.#pending.clear();
  }
}
