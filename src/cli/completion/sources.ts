/** What the operands and the options of commands can be: words, files, or what a running Signalbox has. */
import type { Command, Option } from 'commander';
import { LOG_LEVELS } from '../../config/schema/config.ts';
import { REVIEW_MODES } from '../../contracts/config-values.ts';
import { DEAD_STATES, SETTLED_STATES, TASK_STATES, type TaskState } from '../../contracts/tasks.ts';
import { BUNDLED_DRIVER_NAMES } from '../../drivers/bundled/index.ts';
import { pathOf } from './line.ts';

/** What Signalbox is asked for. */
export type LiveSource =
  /** Of the project that the line names, in one of these states. */
  | { readonly kind: 'tasks'; readonly states: readonly TaskState[] }
  | { readonly kind: 'agents' }
  /** Of the kind that stands before the name: of agents, or of types. */
  | { readonly kind: 'queues'; readonly isPaused: boolean }
  | { readonly kind: 'webhooks' };

export type Source =
  | LiveSource
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** Several of them, with commas between. */
  | { readonly kind: 'list'; readonly words: readonly string[] }
  | { readonly kind: 'files' }
  | { readonly kind: 'directories' }
  /** A text of one's own. */
  | { readonly kind: 'anything' };

const ANYTHING: Source = { kind: 'anything' };
const AGENTS: Source = { kind: 'agents' };
const WEBHOOKS: Source = { kind: 'webhooks' };
const ANY_TASK: Source = { kind: 'tasks', states: TASK_STATES };
const OPEN_TASK: Source = {
  kind: 'tasks',
  states: TASK_STATES.filter((state) => !SETTLED_STATES.has(state)),
};
const DEAD_TASK: Source = { kind: 'tasks', states: DEAD_STATES };
const READY_DRIVERS: Source = { kind: 'words', words: BUNDLED_DRIVER_NAMES };

/** By the path of the command and the name of the operand, as in `task show id`. */
export const OPERANDS: ReadonlyMap<string, Source> = new Map<string, Source>([
  ['task show id', ANY_TASK],
  ['task watch id', OPEN_TASK],
  ['task why id', OPEN_TASK],
  ['task comment id', ANY_TASK],
  ['task cancel id', OPEN_TASK],
  ['task approve id', { kind: 'tasks', states: ['review'] }],
  ['task reject id', { kind: 'tasks', states: ['review'] }],
  ['task block id', OPEN_TASK],
  ['task unblock id', { kind: 'tasks', states: ['blocked'] }],
  ['task retry id', DEAD_TASK],
  ['attempt ls task', ANY_TASK],
  ['attempt logs task', ANY_TASK],
  ['attempt kill task', OPEN_TASK],
  ['agent show id', AGENTS],
  ['agent pause id', AGENTS],
  ['agent drain id', AGENTS],
  ['agent resume id', AGENTS],
  ['agent rejected id', AGENTS],
  ['dlq redrive ids', DEAD_TASK],
  ['queue pause name', { kind: 'queues', isPaused: false }],
  ['queue resume name', { kind: 'queues', isPaused: true }],
  ['webhook dlq webhook', WEBHOOKS],
  ['webhook redeliver webhook', WEBHOOKS],
  ['webhook discard webhook', WEBHOOKS],
  ['driver show driver', READY_DRIVERS],
  ['driver test driver', READY_DRIVERS],
  ['audit report id', ANY_TASK],
]);

const OPTIONS: ReadonlyMap<string, Source> = new Map<string, Source>([
  ['--agent', AGENTS],
  ['--task', ANY_TASK],
  ['--review', { kind: 'words', words: REVIEW_MODES }],
  ['--status', { kind: 'list', words: TASK_STATES }],
  ['--state', { kind: 'list', words: TASK_STATES }],
  ['--priority', { kind: 'words', words: ['low', 'normal', 'high'] }],
  ['--log-level', { kind: 'words', words: LOG_LEVELS }],
]);

/** What an operand can be. @param index how many stand before it */
export function sourceOfOperand(command: Command, index: number): Source {
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  const position =
    index >= registeredArguments.length && last?.variadic ? registeredArguments.length - 1 : index;
  const operand = registeredArguments[position];
  if (operand === undefined) return ANYTHING;
  if (operand.argChoices) return { kind: 'words', words: operand.argChoices };
  if (operand.name() === 'file') return { kind: 'files' };
  return OPERANDS.get(`${pathOf(command)} ${operand.name()}`) ?? ANYTHING;
}

export function sourceOfValue({ long, flags, argChoices }: Option): Source {
  if (argChoices) return { kind: 'words', words: argChoices };
  if (/[<[](?:file|path)\b/.test(flags)) return { kind: 'files' };
  if (/[<[]directory\b/.test(flags)) return { kind: 'directories' };
  return OPTIONS.get(long ?? '') ?? ANYTHING;
}
