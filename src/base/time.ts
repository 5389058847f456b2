/** Waiting with a limit, and waiting that can be aborted. */
import { type Clock, systemClock } from './environment.ts';

/**
 * The result of the work, or of `onLimit` (which may throw) if the work takes longer than `limitMs`. The work goes on
 * then; its result and its error are ignored.
 */
export async function withLimit<Result, Late = never>(
  work: Promise<Result>,
  limitMs: number,
  onLimit: () => Late,
  clock: Clock = systemClock,
): Promise<Result | Late> {
  let cancel = (): void => {};
  const limit = new Promise<Late>((resolve, reject) => {
    cancel = clock.schedule(limitMs, () => {
      try {
        resolve(onLimit());
      } catch (error) {
        reject(error);
      }
    });
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    cancel();
  }
}

/** Resolves after `ms` milliseconds, or as soon as the signal is aborted. */
export function pause(ms: number, signal: AbortSignal, clock: Clock = systemClock): Promise<void> {
  return untilAborted(signal, (resolve) => clock.schedule(ms, resolve));
}

/**
 * Resolves when `begin` calls the function that it is given, or as soon as the signal is aborted.
 * @param begin returns a function that undoes what it has begun; called on abort
 */
export function untilAborted(signal: AbortSignal, begin: (resolve: () => void) => () => void): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const onAbort = (): void => {
      undo();
      resolve();
    };
    const undo = begin(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * A signal that is aborted with `signal`, or with a TimeoutError after `limitMs`, until it is disposed. Do not use
 * `AbortSignal.any` with `AbortSignal.timeout` for this: Node.js 20 loses the limit with the next garbage collection.
 */
export function limitedSignal(
  signal: AbortSignal,
  limitMs: number,
): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal.reason);
  const timer = setTimeout(() => controller.abort(new DOMException('time limit', 'TimeoutError')), limitMs);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}
