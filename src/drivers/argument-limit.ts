/** How much fits into an argument of a process. */
import { SignalboxError } from '../contracts/errors.ts';

/** Linux takes 32 pages for one argument, its closing NUL included, whatever the stack allows (execve(2)). */
export const ARGUMENT_BYTES_MAX = 128 * 1_024 - 1;

export function fitsArgument(text: string): boolean {
  return Buffer.byteLength(text) <= ARGUMENT_BYTES_MAX && !text.includes('\0');
}

/** @throws SignalboxError `spawn_failed`, before the system would refuse it in words that help nobody */
export function assertArguments(command: readonly string[]): void {
  for (const [index, word] of command.entries()) {
    if (Buffer.byteLength(word) <= ARGUMENT_BYTES_MAX) continue;
    throw new SignalboxError(
      'spawn_failed',
      `argument ${index} of ${command[0]} has ${Buffer.byteLength(word)} bytes, and the system takes ${ARGUMENT_BYTES_MAX} at most: give the prompt by file or on standard input`,
      { details: { reason: 'invalid_spec' } },
    );
  }
}
