/** Waiting that an abort ends. */
import type { Clock } from '../../engine/runtime/environment.ts';

/** Resolves after this time, or with the abort. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return untilAborted(signal, (resolve) => clock.schedule(ms, resolve));
}

/**
 * Resolves when `begin` says so, or with the abort.
 * @param begin calls what it gets when it is time; what it answers takes that back
 */
export function untilAborted(signal: AbortSignal, begin: (resolve: () => void) => () => void): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const onAbort = (): void => {
      takeBack();
      resolve();
    };
    const takeBack = begin(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
