import { describe, expect, it } from 'vitest';
import { SignalboxError } from '../../../src/contracts/errors.ts';
import { RateLimit } from '../../../src/http/rate-limit.ts';

/** How many requests of the client are taken, of so many at once. */
function taken(limit: RateLimit, client: string, attempts: number): number {
  let count = 0;
  for (let attempt = 0; attempt < attempts; attempt++) {
    try {
      limit.take(client);
      count++;
    } catch (error) {
      if (!(error instanceof SignalboxError) || error.code !== 'rate_limited') throw error;
    }
  }
  return count;
}

describe('the limit on requests', () => {
  // At many of these times a second later is not 1,000 ms later to the last bit.
  const times = Array.from({ length: 2_000 }, (_, index) => index * 13.567_891 + 0.123_456_7);

  it.each([1, 3, 7, 100])(
    'gives each client all of %i requests at any time, and not one more',
    (perSecond) => {
      for (const now of times) {
        const limit = new RateLimit(perSecond, () => now);
        expect(taken(limit, 'one', perSecond + 5), `at ${now}`).toBe(perSecond);
        expect(taken(limit, 'other', perSecond + 5), `at ${now}`).toBe(perSecond);
      }
    },
  );

  it('gives requests back over time', () => {
    let now = 5_000.3;
    const limit = new RateLimit(10, () => now);
    expect(taken(limit, 'one', 20)).toBe(10);
    now += 300;
    expect(taken(limit, 'one', 20)).toBe(3);
    now += 60_000;
    expect(taken(limit, 'one', 20)).toBe(10);
  });
});
