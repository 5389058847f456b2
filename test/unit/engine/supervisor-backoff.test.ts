import { describe, expect, it } from 'vitest';
import type { Backoff } from '../../../src/contracts/config-values.ts';
import { backoffMs } from '../../../src/engine/supervisor/attempt-ends.ts';

const STEADY: Backoff = { initial_seconds: 2, factor: 3, max_seconds: 60, jitter: 0 };
const MIDDLE = 0.5;

describe('the wait before a retry', () => {
  it.each([
    [1, 2_000],
    [2, 6_000],
    [3, 18_000],
    [4, 54_000],
    [5, 60_000],
    [1_000, 60_000],
  ])('after %i attempts is %i ms: it grows by the factor up to the maximum', (attempts, ms) => {
    expect(backoffMs(STEADY, attempts, MIDDLE)).toBe(ms);
  });

  it('is the initial one if no attempt is counted', () => {
    expect(backoffMs(STEADY, 0, MIDDLE)).toBe(2_000);
  });

  it('may be zero', () => {
    expect(backoffMs({ ...STEADY, initial_seconds: 0, jitter: 1 }, 3, 0.9)).toBe(0);
  });

  it.each([
    [0, 1_500],
    [0.25, 1_750],
    [0.5, 2_000],
    [0.75, 2_250],
    [0.999_999, 2_500],
  ])('is spread by the jitter, evenly and to both sides: dice %d, %i ms', (random, ms) => {
    expect(backoffMs({ ...STEADY, jitter: 0.25 }, 1, random)).toBe(ms);
  });

  it('is a whole number of milliseconds and never negative', () => {
    const odd: Backoff = { initial_seconds: 0.123_456, factor: 1.7, max_seconds: 9, jitter: 1 };
    for (let attempts = 1; attempts < 12; attempts++) {
      for (const random of [0, 0.1, 0.333, 0.999]) {
        const ms = backoffMs(odd, attempts, random);
        expect(Number.isInteger(ms)).toBe(true);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(18_000);
      }
    }
  });
});
