import type { SignalboxError } from '../contracts/errors.ts';
import type { Clock } from '../runtime/environment.ts';

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
