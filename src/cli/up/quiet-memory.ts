/**
 * Returns memory to the system while the server is idle.
 *
 * An idle V8 keeps the memory that it needed at start or under load: two thirds of the memory of the process
 * were garbage and empty pages. `HeapProfiler.collectGarbage` of the inspector tells V8 that memory is short.
 *
 * The process pauses meanwhile, for a few milliseconds per megabyte. So this runs only after some idle seconds, only if
 * the heap has grown, and never with a heap so large that the lease could expire.
 */
import { Session } from 'node:inspector/promises';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { messageOf } from '../../contracts/errors.ts';

const CHECK_MS = 2_000;
/** Utilization of the event loop between two checks below which the server counts as idle. */
const QUIET_UTILIZATION = 0.05;
/** Idle checks in a row. */
const QUIET_CHECKS = 3;
const MB = 1_000_000;
/** Growth of the heap since the last collection that makes another one worthwhile. */
const WORTHWHILE_BYTES = 32 * MB;
/** A collection that freed this part is repeated at the next check, because V8 frees pages in two steps. */
const WORTHWHILE_PART = 0.1;
const MAX_HEAP_BYTES = 400 * MB;

/** @param checkMs milliseconds between two checks. @returns a function that stops it */
export function releaseMemoryWhenQuiet(logger: Logger, checkMs = CHECK_MS): () => void {
  const ended = new AbortController();
  watch(logger, checkMs, ended.signal).catch((error: unknown) => {
    if (ended.signal.aborted) return;
    logger.warn({ err: error }, `cannot return memory to the system: ${messageOf(error)}`);
  });
  return () => ended.abort();
}

/** Runs until the signal is aborted. */
async function watch(logger: Logger, checkMs: number, signal: AbortSignal): Promise<never> {
  let quietChecks = 0;
  let heapAfter = 0;
  for (;;) {
    const before = performance.eventLoopUtilization();
    await delay(checkMs, undefined, { ref: false, signal });
    const { utilization } = performance.eventLoopUtilization(before);
    quietChecks = utilization < QUIET_UTILIZATION ? quietChecks + 1 : 0;
    const { heapTotal, heapUsed } = process.memoryUsage();
    const isWorthwhile = heapUsed <= MAX_HEAP_BYTES && heapTotal >= heapAfter + WORTHWHILE_BYTES;
    if (quietChecks < QUIET_CHECKS || !isWorthwhile) continue;
    const ms = await release();
    const after = process.memoryUsage().heapTotal;
    heapAfter = after < heapTotal * (1 - WORTHWHILE_PART) ? 0 : after;
    logger.debug({ ms, heap_before: heapTotal, heap_after: after }, 'returned memory to the system');
  }
}

/** @returns the duration in milliseconds */
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
