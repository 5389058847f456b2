import { describe, expect, it } from 'vitest';
import { RestartBackoff } from '../../../src/daemon/embedded/supervision.ts';

describe('RestartBackoff', () => {
  it('doubles the pause up to the maximum', () => {
    const backoff = new RestartBackoff();
    const pauses = Array.from({ length: 8 }, () => backoff.pauseMs(0));
    expect(pauses).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  });

  it('starts from the first pause again after a run that was long enough, and only then', () => {
    const backoff = new RestartBackoff();
    expect([0, 9_999, 10_000, 0].map((uptime) => backoff.pauseMs(uptime))).toEqual([100, 200, 100, 200]);
  });
});
