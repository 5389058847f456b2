/**
 * How often a client may ask.
 *
 * R1 A client is whom its token names; without a valid one, the address that it comes from. Each has a second's worth of requests
 *    in hand, and gets them back as time goes by; what it holds is one number.
 * R2 Who has everything in hand again is forgotten: memory is bounded by what one second brings.
 */
import { SignalboxError } from '../contracts/errors.ts';

/** Of a request: sums of milliseconds with fractions may be off by this without anybody being refused for it. */
const ROUNDING = 1e-6;

/** Clients after which those are looked for that can be forgotten. */
const SWEEP_SIZE = 10_000;

export class RateLimit {
  readonly #perSecond: number;
  readonly #now: () => number;
  /** When, in milliseconds, each client has everything in hand again. */
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
        `more than ${this.#perSecond} requests a second (server.requests_per_second): ask less often`,
        { details: { retry_after_seconds: 1 } },
      );
    }
    this.#fullAt.set(client, fullAt);
    if (this.#fullAt.size > this.#sweepAt) this.#sweep(now);
  }

  #sweep(now: number): void {
    for (const [client, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(client);
    // What is left is in use: looked through again only when it has doubled.
    this.#sweepAt = Math.max(SWEEP_SIZE, 2 * this.#fullAt.size);
  }
}
