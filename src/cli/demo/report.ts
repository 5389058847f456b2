/** The end of the demo: outputs, attempts, and checks. */

import { oneLine } from '../../base/text/printable.ts';
import type { AttemptAnswer, TaskAnswer } from '../../contracts/api/answers.ts';
import { printLines } from '../output.ts';
import { exitText, killOf, killText } from '../task/attempt-text.ts';
import { commentLines, outputLines } from '../task/output-text.ts';
import { styleOfAttempt, styleOfTask } from '../task/styles.ts';
import type { Terminal } from '../terminal.ts';
import { type Column, tableLines } from '../text/table.ts';
import { durationText } from '../text/time.ts';
import { type DemoTask, problemsOf } from './tasks.ts';

const CONTENT_LINES = 7;

export function printTitle(terminal: Terminal, title: string): void {
  terminal.print();
  terminal.print(terminal.style('bold', `── ${title} ${'─'.repeat(Math.max(3, 60 - title.length))}`));
}

export function printBlackboard(
  terminal: Terminal,
  demoTasks: readonly DemoTask[],
  tasks: readonly TaskAnswer[],
): void {
  printTitle(terminal, 'Blackboard');
  for (const [index, task] of tasks.entries()) {
    const state = terminal.style(styleOfTask(task.status), task.status);
    terminal.print();
    terminal.print(`${terminal.style('bold', task.id)}: ${oneLine(task.title)} (${state})`);
    terminal.print(terminal.style('dim', `  ${demoTasks[index]?.about ?? ''}`));
    if (task.reason !== null) terminal.print(`  reason: ${oneLine(task.reason)}`);
    for (const output of task.outputs ?? []) {
      // The data repeats the document in a form for programs.
      const maxLines = output.type === 'data' ? 0 : CONTENT_LINES;
      printLines(terminal, outputLines(terminal, output, { maxLines, indent: '  ' }));
    }
    for (const comment of task.comments ?? []) {
      printLines(terminal, commentLines(terminal, comment, '  '));
    }
  }
}

interface Row extends AttemptAnswer {
  readonly task: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'TASK', text: ({ task }) => task, isName: true },
  { title: '#', text: ({ attempt }) => attempt, align: 'right' },
  { title: 'AGENT', text: ({ agent }) => agent },
  { title: 'PID', text: ({ pid }) => pid ?? '-', align: 'right' },
  { title: 'OUTCOME', text: ({ status }) => status, style: ({ status }) => styleOfAttempt(status) },
  { title: 'EXIT', text: exitText },
  {
    title: 'DURATION',
    text: ({ duration_ms: ms }) => (ms === null ? '-' : durationText(ms)),
    align: 'right',
  },
  { title: 'ERROR', text: ({ error }) => error ?? '' },
];

export function printAttempts(terminal: Terminal, tasks: readonly TaskAnswer[]): void {
  printTitle(terminal, 'Attempt history');
  const rows = tasks.flatMap(({ id, attempts = [] }) =>
    attempts.map((attempt) => ({ ...attempt, task: id })),
  );
  printLines(terminal, tableLines(terminal, COLUMNS, rows));
  for (const row of rows) {
    const kill = killOf(row);
    if (kill !== null) terminal.print(`${row.task} #${row.attempt} ${killText(kill)}`);
  }
}

/** Prints one check per task. @returns whether all passed */
export function printChecks(
  terminal: Terminal,
  demoTasks: readonly DemoTask[],
  tasks: readonly TaskAnswer[],
): boolean {
  printTitle(terminal, 'Checks');
  let isOk = true;
  for (const [index, demoTask] of demoTasks.entries()) {
    const task = tasks[index];
    const problems = task === undefined ? ['it is missing'] : problemsOf(demoTask, task);
    printCheck(
      terminal,
      problems.length === 0,
      `${demoTask.task.id}: ${problems.join('; ') || demoTask.about}`,
    );
    isOk &&= problems.length === 0;
  }
  return isOk;
}

export function printCheck(terminal: Terminal, isOk: boolean, text: string): void {
  terminal.print(`${isOk ? terminal.style('green', '✓') : terminal.style('red', '✗')} ${oneLine(text)}`);
}
