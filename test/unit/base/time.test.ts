import { describe, expect, it } from 'vitest';
import { pause, withLimit } from '../../../src/base/time.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const never = new Promise<never>(() => {});

describe('withLimit', () => {
  it('answers with the result of work that is done in time, and cancels the timer', async () => {
    const clock = new FakeClock();
    expect(await withLimit(Promise.resolve('done'), 1_000, () => 'late', clock)).toBe('done');
    expect(clock.pending).toBe(0);
  });

  it('answers with what onLimit returns if the work takes too long', async () => {
    const clock = new FakeClock();
    const answer = withLimit(never, 1_000, () => 'late', clock);
    clock.advance(1_000);
    expect(await answer).toBe('late');
  });

  it('rejects with what onLimit throws, and with the error of the work', async () => {
    const clock = new FakeClock();
    const answer = withLimit(
      never,
      1_000,
      () => {
        throw new Error('too late');
      },
      clock,
    );
    clock.advance(1_000);
    await expect(answer).rejects.toThrow('too late');
    await expect(withLimit(Promise.reject(new Error('broken')), 1_000, () => {})).rejects.toThrow('broken');
  });
});

describe('pause', () => {
  it('ends after its time, and at once if the signal is aborted', async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const first = pause(1_000, stop.signal, clock);
    clock.advance(1_000);
    await first;
    const second = pause(1_000, stop.signal, clock);
    stop.abort();
    await second;
    expect(clock.pending).toBe(0);
    await pause(1_000, stop.signal, clock);
  });
});
