import { SignalboxError } from '../contracts/errors.ts';
import type { Clock } from '../engine/runtime/environment.ts';

/** What `work` comes to, or `late()` where it takes longer than `limitMs`; the work itself goes on. */
export async function within<T>(
  clock: Clock,
  limitMs: number,
  work: Promise<T>,
  late: () => SignalboxError,
): Promise<T> {
  let cancel = (): void => {};
  const limit = new Promise<never>((_, reject) => {
    cancel = clock.schedule(limitMs, () => reject(late()));
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    cancel();
  }
}

/** O2 of operation.ts: an answer that did not come in time. */
export function lateError(method: string, limitMs: number): SignalboxError {
  const what = `the event log has not answered within ${limitMs / 1_000} seconds`;
  if (method === 'GET') return new SignalboxError('log_unavailable', `${what}: try again in a moment`);
  return new SignalboxError(
    'log_unavailable',
    `${what}: the outcome is unknown. Read the task before you repeat this; a creation with the same id or idempotency key may be repeated safely, nothing is created twice`,
    { details: { outcome: 'unknown' } },
  );
}
