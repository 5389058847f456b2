/** Reports a failed command: one line on standard error, and an exit code. */
import { CommanderError } from 'commander';
import { z } from 'zod';
import { printable } from '../base/text/printable.ts';
import { ERROR_CODES, messageOf, SignalboxError } from '../contracts/errors.ts';
import { EXIT_CODES, exitCodeOf } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

const fieldErrorsSchema = z.array(z.object({ path: z.string(), message: z.string() }));

/** Prints the error. @param debug also print the stack traces of the error and its causes. @returns the exit code */
export function reportFailure(terminal: Terminal, thrown: unknown, debug: boolean): number {
  // commander has printed the message already; its exit code is 0 after --help and --version.
  if (thrown instanceof CommanderError) {
    return thrown.exitCode === 0 ? EXIT_CODES.ok.code : EXIT_CODES.usage.code;
  }
  terminal.note(failureText(thrown));
  if (debug) terminal.note(printable(stackOf(thrown)));
  return thrown instanceof SignalboxError ? exitCodeOf(thrown.code) : EXIT_CODES.failure.code;
}

/** As in `signalbox: project default has no task x [task_not_found]`; several lines are indented below. */
export function failureText(thrown: unknown): string {
  if (!(thrown instanceof SignalboxError)) {
    return `signalbox: ${printable(messageOf(thrown))} [internal] (use --debug for the stack trace)`;
  }
  const [first = '', ...rest] = [...printable(thrown.message).split('\n'), ...fieldLines(thrown)];
  if (rest.length === 0) return `signalbox: ${first} [${thrown.code}]`;
  return [
    `signalbox: ${ERROR_CODES[thrown.code]} [${thrown.code}]`,
    ...[first, ...rest].map((line) => `  ${line}`),
  ].join('\n');
}

function fieldLines({ message, details }: SignalboxError): string[] {
  const errors = fieldErrorsSchema.safeParse(details.errors);
  if (!errors.success) return [];
  return errors.data
    .filter((each) => !message.includes(each.message))
    .map((each) => printable(each.path === '' ? each.message : `${each.path}: ${each.message}`));
}

function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const own = thrown.stack ?? thrown.message;
  return thrown.cause === undefined ? own : `${own}\ncaused by: ${stackOf(thrown.cause)}`;
}
