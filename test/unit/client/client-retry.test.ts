import { describe, expect, it } from 'vitest';
import { type RetryPolicy, retryAfterMs, waitBefore } from '../../../src/client/retry.ts';

const policy: RetryPolicy = {
  retries: 6,
  initialMs: 100,
  maxMs: 1_000,
  longestWaitMs: 30_000,
  random: () => 1,
  sleep: async () => {},
};

describe('when the client repeats a request', () => {
  it('waits twice as long each time, up to a limit, and then gives up', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7].map((number) => waitBefore(number, 0, policy));
    expect(waits).toEqual([100, 200, 400, 800, 1_000, 1_000, null]);
  });

  it('spreads the waits over the upper half', () => {
    expect(waitBefore(1, 0, { ...policy, random: () => 0 })).toBe(50);
    expect(waitBefore(1, 0, { ...policy, random: () => 0.5 })).toBe(75);
  });

  it('waits at least as long as the server asks, up to a limit', () => {
    expect(waitBefore(1, 2_000, policy)).toBe(2_100);
    expect(waitBefore(1, 30_001, policy)).toBeNull();
  });

  it('reads Retry-After as seconds and as a date', () => {
    const now = Date.parse('2026-11-02T10:00:00Z');
    expect(retryAfterMs(null, now)).toBe(0);
    expect(retryAfterMs('2', now)).toBe(2_000);
    expect(retryAfterMs('Mon, 02 Nov 2026 10:00:03 GMT', now)).toBe(3_000);
    expect(retryAfterMs('Mon, 02 Nov 2026 09:00:00 GMT', now)).toBe(0);
    expect(retryAfterMs('soon', now)).toBe(0);
  });
});
