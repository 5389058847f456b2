/** When a request is repeated. */

export interface RetryPolicy {
  /** Repeats after the first try. */
  readonly retries: number;
  /** Milliseconds before the first repeat; doubled for each that follows, up to `maxMs`. */
  readonly initialMs: number;
  readonly maxMs: number;
  /** Milliseconds. If the server asks for a longer wait, the error is thrown. */
  readonly longestWaitMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * Milliseconds to wait before repeat `number` (1 is the first), or null for no repeat. It is at least what the server asks
 * for; the jitter keeps clients that failed together from repeating together.
 * @param retryAfterMs what the server asks for
 */
export function waitBefore(number: number, retryAfterMs: number, policy: RetryPolicy): number | null {
  if (number > policy.retries || retryAfterMs > policy.longestWaitMs) return null;
  const backoff = Math.min(policy.initialMs * 2 ** (number - 1), policy.maxMs);
  return retryAfterMs + backoff * (0.5 + policy.random() / 2);
}

/** The milliseconds of a `Retry-After` header, in seconds or as a date; 0 without one. */
export function retryAfterMs(header: string | null, now: number): number {
  if (header === null) return 0;
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - now : seconds * 1_000;
  return Number.isNaN(ms) ? 0 : Math.max(ms, 0);
}
