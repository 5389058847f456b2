/** A task as a page of text. */

import { oneLine, printable } from '../../base/text/printable.ts';
import type { TaskAnswer } from '../../contracts/api/answers.ts';
import { factsOf } from '../../contracts/api/task-facts.ts';
import type { Terminal } from '../terminal.ts';
import { tableLines } from '../text/table.ts';
import { ageText } from '../text/time.ts';
import { ATTEMPT_COLUMNS, killOf, killText } from './attempt-text.ts';
import { eventLine } from './event-text.ts';
import { commentLines, outputLines } from './output-text.ts';
import { styleOfTask } from './styles.ts';

export interface TaskPageOptions {
  /** Whether outputs are shown without shortening. */
  readonly full: boolean;
  readonly now: number;
}

const INDENT = '  ';
const LABEL_WIDTH = 17;
const SHORT_CONTENT_LINES = 12;

type Shown = Pick<Terminal, 'columns' | 'style'>;

/** Sections of parts that the answer does not have are left out. */
export function taskPage(terminal: Shown, task: TaskAnswer, options: TaskPageOptions): string[] {
  const state = terminal.style(styleOfTask(task.status), task.status);
  const sections = [
    [`${terminal.style('bold', oneLine(task.title))}`, `${task.id} in project ${task.project}: ${state}`],
    factLines(terminal, task, options.now),
    section(terminal, 'Description', textLines(task.description)),
    section(terminal, 'Children', childrenOf(task)),
    section(terminal, 'Attempts', attemptsOf(terminal, task)),
    section(terminal, 'Standard error of the last attempt', lastMessagesOf(task, options)),
    section(terminal, 'Outputs', outputsOf(terminal, task, options)),
    section(
      terminal,
      'Comments',
      (task.comments ?? []).flatMap((each) => commentLines(terminal, each, INDENT)),
    ),
    section(
      terminal,
      'Events',
      (task.events ?? []).map((event) => `${INDENT}${eventLine(terminal, event)}`),
    ),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
}

function section(terminal: Shown, title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [terminal.style('bold', title), ...lines];
}

function textLines(text: string): string[] {
  if (text.trim() === '') return [];
  return printable(text)
    .trimEnd()
    .split('\n')
    .map((line) => `${INDENT}${line}`);
}

function factLines(terminal: Shown, task: TaskAnswer, now: number): string[] {
  const at = (time: string): string => `${time} (${ageText(time, now)} ago)`;
  const isPast = (label: string): boolean => label === 'Created' || label === 'Finished';
  const facts = factsOf(task).map(({ label, kind, values }): readonly [string, string] => {
    if (kind === 'seconds') return [label, `${values.join()} s`];
    if (isPast(label)) return [label, at(values.join())];
    return [label, values.join(kind === 'list' ? '; ' : ' ')];
  });
  const reports: readonly (readonly [string, string | null])[] = [
    ['Progress', task.progress],
    ['Reason', task.reason],
  ];
  return [...facts, ...reports].flatMap(([label, value]) =>
    value === null
      ? []
      : [`${INDENT}${terminal.style('dim', label.toLowerCase().padEnd(LABEL_WIDTH))}${oneLine(value)}`],
  );
}

function childrenOf({ children, children_outputs: outputs = [] }: TaskAnswer): string[] {
  if (children === undefined) return [];
  const counts = Object.entries(children.by_status).map(([state, count]) => `${count} ${state}`);
  return [
    `${INDENT}${children.total}: ${counts.join(', ')}`,
    ...outputs.map(
      ({ task, number, type, title }) => `${INDENT}${task}, output ${number}: ${oneLine(title)} (${type})`,
    ),
  ];
}

function attemptsOf(terminal: Shown, { attempts = [] }: TaskAnswer): string[] {
  if (attempts.length === 0) return [];
  const narrower = { columns: terminal.columns - INDENT.length, style: terminal.style };
  const kills = attempts.flatMap((attempt) => {
    const kill = killOf(attempt);
    return kill === null ? [] : [`attempt ${attempt.attempt} ${killText(kill)}`];
  });
  return [...tableLines(narrower, ATTEMPT_COLUMNS, attempts), ...kills].map((line) => `${INDENT}${line}`);
}

const SHORT_MESSAGE_LINES = 10;

/** The end of what the last attempt printed on standard error, if it failed. */
function lastMessagesOf({ attempts = [] }: TaskAnswer, { full }: TaskPageOptions): string[] {
  const last = attempts.at(-1);
  if (last === undefined || last.error === null || last.stderr_tail === null) return [];
  return textLines(last.stderr_tail).slice(full ? 0 : -SHORT_MESSAGE_LINES);
}

function outputsOf(terminal: Shown, { outputs = [] }: TaskAnswer, { full }: TaskPageOptions): string[] {
  const maxLines = full ? Number.POSITIVE_INFINITY : SHORT_CONTENT_LINES;
  return outputs.flatMap((output) => outputLines(terminal, output, { maxLines, indent: INDENT }));
}
