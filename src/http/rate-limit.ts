/**
 * Limits the requests of each client: the caller that a valid token names, or else the address. A client may send a second's
 * worth of requests at once, and regains them over time. An idle client is forgotten: memory is bounded by the clients of
 * one second.
 */
import { SignalboxError } from '../contracts/errors.ts';

/** Tolerance for rounding errors, in requests. */
const ROUNDING = 1e-6;

/** Clients above which idle ones are forgotten. */
const SWEEP_SIZE = 10_000;

export class RateLimit {
  readonly #perSecond: number;
  readonly #now: () => number;
  /** By client: the time in milliseconds at which it has regained all its requests. */
  readonly #fullAt = new Map<string, number>();
  #sweepAt = SWEEP_SIZE;

  /** @param now milliseconds of a clock that does not jump */
  constructor(perSecond: number, now: () => number) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** Counts a request. @throws SignalboxError `rate_limited`, with `retry_after_seconds` in its details */
  take(client: string): void {
    const now = this.#now();
    const oneMs = 1_000 / this.#perSecond;
    const fullAt = Math.max(this.#fullAt.get(client) ?? 0, now) + oneMs;
    if (fullAt - now > 1_000 + ROUNDING * oneMs) {
      throw new SignalboxError(
        'rate_limited',
        `more than ${this.#perSecond} requests a second (server.requests_per_second): send fewer`,
        { details: { retry_after_seconds: 1 } },
      );
    }
    this.#fullAt.set(client, fullAt);
    if (this.#fullAt.size > this.#sweepAt) this.#sweep(now);
  }

  #sweep(now: number): void {
    for (const [client, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(client);
    // The remaining clients are active: the next sweep is when their number has doubled.
    this.#sweepAt = Math.max(SWEEP_SIZE, 2 * this.#fullAt.size);
  }
}
