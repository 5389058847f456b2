/** Answers that do not come in time. */
import { SignalboxError } from '../contracts/errors.ts';

/** @throws SignalboxError `log_unavailable`: there is no answer yet; for a command, the outcome is unknown */
export function throwLate(method: string, limitMs: number): never {
  const what = `the event log has not answered within ${limitMs / 1_000} seconds`;
  if (method === 'GET') throw new SignalboxError('log_unavailable', `${what}: try again in a moment`);
  throw new SignalboxError(
    'log_unavailable',
    `${what}: the outcome is unknown. Read the task before you repeat this; a creation with the same id or idempotency key may be repeated safely, nothing is created twice`,
    { details: { outcome: 'unknown' } },
  );
}
