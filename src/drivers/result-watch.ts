/** Notices that a program has given its result while its process stays. */
import { deferred } from '../base/deferred.ts';
import type { ManagedProcess } from '../process/runner.ts';
import type { Program } from './program.ts';

/** Milliseconds between two checks whether a running program has given its result. */
const RESULT_POLL_MS = 1_000;

/**
 * Reads the output only after it has grown and come to rest, so that the output of a program that prints much is not read
 * again and again.
 */
export function watchResult(process: ManagedProcess, program: Program, directory: string) {
  const resulted = deferred();
  let seenBytes = 0;
  let readBytes = 0;
  const check = async (): Promise<void> => {
    const bytes = process.outputBytes().stdout;
    const isAtRest = bytes === seenBytes;
    seenBytes = bytes;
    if (!isAtRest || bytes === readBytes) return;
    readBytes = bytes;
    if (!(await program.hasResult?.(directory).catch(() => false))) return;
    clearInterval(timer);
    resulted.resolve();
  };
  const timer = program.hasResult && setInterval(() => void check(), RESULT_POLL_MS).unref();
  return { resulted: resulted.promise, close: () => clearInterval(timer) };
}
