import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { limitedSignal, pause, withLimit } from '../../../src/base/time.ts';
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

describe('limitedSignal', () => {
  it('aborts a request after the limit, also if the garbage was collected in between', async () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const server = createServer(() => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const send = async (): Promise<unknown> => {
      using limited = limitedSignal(new AbortController().signal, 300);
      return await fetch(`http://127.0.0.1:${port}`, { signal: limited.signal }).catch(
        (error: unknown) => error,
      );
    };
    const sent = send();
    await pause(100, new AbortController().signal);
    collect();
    expect(await sent).toMatchObject({ name: 'TimeoutError' });
    server.closeAllConnections();
    server.close();
  });

  it('is aborted with the given signal, and not after it is disposed', async () => {
    const outer = new AbortController();
    using limited = limitedSignal(outer.signal, 10_000);
    outer.abort(new Error('stopped'));
    expect(limited.signal.reason).toMatchObject({ message: 'stopped' });
    const early = limitedSignal(new AbortController().signal, 10);
    early[Symbol.dispose]();
    await pause(30, new AbortController().signal);
    expect(early.signal.aborted).toBe(false);
  });
});
