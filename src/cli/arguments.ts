/** Arguments of commands, with what the shell offers for them; and the form of option values. */

import { Argument, InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import { parseDuration } from '../base/duration.ts';
import { faultText, readExactJson } from '../base/exact-json.ts';
import { wholeNumber } from '../base/plain-number.ts';
import { prioritySchema } from '../contracts/config-values.ts';
import { DEAD_STATES, SETTLED_STATES, TASK_STATES, type TaskState } from '../contracts/tasks.ts';

/** Completions for a value: fixed words, files, or what a running Signalbox has. */
export type Source =
  /** Tasks of the project that the line names, with one of these statuses. */
  | { readonly kind: 'tasks'; readonly statuses: readonly TaskState[] }
  | { readonly kind: 'agents' }
  /** Queues of the kind (`agent` or `type`) that the argument before the name gives. */
  | { readonly kind: 'queues'; readonly isPaused: boolean }
  | { readonly kind: 'webhooks' }
  | { readonly kind: 'schedules' }
  | { readonly kind: 'budgets' }
  /** Drivers that are built in. */
  | { readonly kind: 'drivers' }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** Several words, separated by commas. */
  | { readonly kind: 'list'; readonly words: readonly string[] }
  | { readonly kind: 'files' }
  | { readonly kind: 'directories' }
  /** Free text. */
  | { readonly kind: 'anything' };

/** An argument whose values the shell can offer. */
export class CompletedArgument extends Argument {
  readonly source: Source;

  constructor(name: string, description: string, source: Source) {
    super(name, description);
    this.source = source;
  }
}

export const OPEN_STATUSES = TASK_STATES.filter((status) => !SETTLED_STATES.has(status));
export { DEAD_STATES as DEAD_STATUSES, TASK_STATES as ANY_STATUS };

/** @param statuses of the tasks that the command is for */
export function taskArgument(statuses: readonly TaskState[] = TASK_STATES, name = '<id>'): Argument {
  return new CompletedArgument(name, 'the task', { kind: 'tasks', statuses });
}

export function agentArgument(name = '<id>', description = 'the agent'): Argument {
  return new CompletedArgument(name, description, { kind: 'agents' });
}

export function numberOf(text: string): number {
  const value = wholeNumber(text);
  if (value !== null) return value;
  throw new InvalidArgumentError('Expected a whole number, in digits.');
}

/** A time in seconds, or as in `5m`. */
export function durationOf(text: string): number {
  const seconds = parseDuration(text);
  if (seconds !== null) return seconds;
  throw new InvalidArgumentError('Expected a time such as 90, 90s, 5m or 2h.');
}

/** A number, or a word such as `high`. */
export function priorityOf(text: string): z.input<typeof prioritySchema> {
  const given = prioritySchema.safeParse(/^\d+$/.test(text) ? Number(text) : text);
  if (given.success) return given.data;
  throw new InvalidArgumentError('Expected a whole number from 1 to 10, or low, normal or high.');
}

export function jsonObjectOf(text: string): Record<string, unknown> {
  const read = readExactJson(text);
  if (!read.ok) throw new InvalidArgumentError(`It is refused: ${faultText(read.fault)}.`);
  const { value } = read;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new InvalidArgumentError('Expected a JSON object such as {"repo": "."}.');
}

/** For an option that may be repeated. */
export function append(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text];
}

/** For an option with several words that may be repeated, too. */
export function appendWords(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, ...wordsOf(text)];
}

/** For `--label name=value`, which may be repeated. */
export function appendLabel(
  text: string,
  earlier: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected NAME=VALUE.');
  const name = text.slice(0, at);
  if (Object.hasOwn(earlier, name)) throw new InvalidArgumentError(`The label ${name} is given twice.`);
  return { ...earlier, [name]: text.slice(at + 1) };
}

/** For an option with several words: `working,review`. */
export function wordsOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}
