import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_PAUSE_MS = 5;
/** Polling a server or all of /proc more often takes processor time from what the test waits for. */
const LAST_PAUSE_MS = 40;

/** Waits until the condition holds, polling it less and less often. Rejects with `what` after `timeoutMs`. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 15_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = FIRST_PAUSE_MS; !(await condition()); pauseMs = Math.min(pauseMs * 1.2, LAST_PAUSE_MS)) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(pauseMs);
  }
}
