import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_PAUSE_MS = 5;
/** Who asks a server or all of /proc for long takes the processor from what is waited for. */
const LAST_PAUSE_MS = 40;

/** Waits until the condition holds. It is asked again after a short while each time, at first sooner than later. */
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
