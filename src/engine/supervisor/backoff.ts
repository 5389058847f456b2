import type { Backoff } from '../../contracts/tasks.ts';

/**
 * Milliseconds to wait before the attempt that follows `attempts` finished ones.
 * @param random uniform in [0, 1). Its effect is journaled with the deadline, so a replay needs no dice.
 */
export function backoffMs(backoff: Backoff, attempts: number, random: number): number {
  const grown = backoff.initial_seconds * backoff.factor ** Math.max(attempts - 1, 0);
  const seconds = Math.min(grown, backoff.max_seconds);
  return Math.round(1_000 * seconds * (1 + backoff.jitter * (2 * random - 1)));
}
