/**
 * Gives memory back to the system while nothing happens.
 *
 * After its start, and after a rush of work, V8 keeps what it has grown to: two thirds of the process were garbage and
 * empty pages then, for as long as nobody came. It has no notion of a quiet server, so it is told: what the inspector
 * calls `HeapProfiler.collectGarbage` is V8's own notice that memory is short.
 *
 * G1 The process stands still meanwhile, for a few milliseconds a megabyte. So it is done after some seconds without
 *    work only, only where there is something to gain, and not with a heap so large that the lease could run out.
 */
import { Session } from 'node:inspector/promises';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { messageOf } from '../../contracts/errors.ts';

const LOOK_MS = 2_000;
/** Of the time between two looks: below it, nothing happens but what happens anyway. */
const QUIET_UTILIZATION = 0.05;
/** Looks in a row. */
const QUIET_LOOKS = 3;
const MB = 1_000_000;
/** What the heap has to have grown by since it was last emptied. */
const WORTHWHILE_BYTES = 32 * MB;
/** Emptied again at the next look, as long as it gave back this part: pages become free in two steps. */
const WORTHWHILE_PART = 0.1;
const HEAP_BYTES_MAX = 400 * MB;

/** @returns what ends it. @param lookMs milliseconds between two looks */
export function releaseMemoryWhenQuiet(logger: Logger, lookMs = LOOK_MS): () => void {
  const ended = new AbortController();
  watch(logger, lookMs, ended.signal).catch((error: unknown) => {
    if (ended.signal.aborted) return;
    logger.warn({ err: error }, `memory cannot be given back: ${messageOf(error)}`);
  });
  return () => ended.abort();
}

/** Rejects with the abort, or where memory cannot be given back. */
async function watch(logger: Logger, lookMs: number, signal: AbortSignal): Promise<never> {
  let quietLooks = 0;
  let heapAfter = 0;
  for (;;) {
    const before = performance.eventLoopUtilization();
    await delay(lookMs, undefined, { ref: false, signal });
    const { utilization } = performance.eventLoopUtilization(before);
    quietLooks = utilization < QUIET_UTILIZATION ? quietLooks + 1 : 0;
    const { heapTotal, heapUsed } = process.memoryUsage();
    const isWorthwhile = heapUsed <= HEAP_BYTES_MAX && heapTotal >= heapAfter + WORTHWHILE_BYTES;
    if (quietLooks < QUIET_LOOKS || !isWorthwhile) continue;
    const ms = await release();
    const after = process.memoryUsage().heapTotal;
    heapAfter = after < heapTotal * (1 - WORTHWHILE_PART) ? 0 : after;
    logger.debug({ ms, heap_before: heapTotal, heap_after: after }, 'gave memory back');
  }
}

/** @returns how many milliseconds it took */
async function release(): Promise<number> {
  const begun = performance.now();
  const session = new Session();
  session.connect();
  try {
    await session.post('HeapProfiler.collectGarbage');
  } finally {
    session.disconnect();
  }
  return Math.round(performance.now() - begun);
}
