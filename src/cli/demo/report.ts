/** The end of the demo: the blackboard, the attempt history, and whether all is as it has to be. */
import type { AttemptAnswer, TaskAnswer } from '../../contracts/api/answers.ts';
import { exitText, killOf, killText } from '../task/attempt-text.ts';
import { commentLines, outputLines } from '../task/output-text.ts';
import { styleOfAttempt, styleOfState } from '../task/state-style.ts';
import type { Terminal } from '../terminal.ts';
import { oneLine } from '../text/printable.ts';
import { type Column, tableLines } from '../text/table.ts';
import { durationText } from '../text/time.ts';
import { problemsOf, type Scene } from './scenes.ts';

const CONTENT_LINES = 7;

export function printTitle(terminal: Terminal, title: string): void {
  terminal.print();
  terminal.print(terminal.style('bold', `── ${title} ${'─'.repeat(Math.max(3, 60 - title.length))}`));
}

export function printBlackboard(
  terminal: Terminal,
  scenes: readonly Scene[],
  tasks: readonly TaskAnswer[],
): void {
  printTitle(terminal, 'The blackboard');
  for (const [index, task] of tasks.entries()) {
    const state = terminal.style(styleOfState(task.status), task.status);
    terminal.print();
    terminal.print(`${terminal.style('bold', task.id)}: ${oneLine(task.title)} (${state})`);
    terminal.print(terminal.style('dim', `  ${scenes[index]?.about ?? ''}`));
    if (task.reason !== null) terminal.print(`  reason: ${oneLine(task.reason)}`);
    for (const output of task.outputs ?? []) {
      // The figures say the same as the document, for programs.
      const maxLines = output.type === 'data' ? 0 : CONTENT_LINES;
      for (const line of outputLines(terminal, output, { maxLines, indent: '  ' })) terminal.print(line);
    }
    for (const comment of task.comments ?? []) {
      for (const line of commentLines(terminal, comment, '  ')) terminal.print(line);
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
  printTitle(terminal, 'The attempt history');
  const rows = tasks.flatMap(({ id, attempts = [] }) =>
    attempts.map((attempt) => ({ ...attempt, task: id })),
  );
  for (const line of tableLines(terminal, COLUMNS, rows)) terminal.print(line);
  for (const row of rows) {
    const kill = killOf(row);
    if (kill !== null) terminal.print(`${row.task} #${row.attempt} ${killText(kill)}`);
  }
}

/** Says of each scene whether it went as it has to. @returns whether all did */
export function printChecks(
  terminal: Terminal,
  scenes: readonly Scene[],
  tasks: readonly TaskAnswer[],
): boolean {
  printTitle(terminal, 'As it has to be?');
  let isAllWell = true;
  for (const [index, scene] of scenes.entries()) {
    const task = tasks[index];
    const problems = task === undefined ? ['it is missing'] : problemsOf(scene, task);
    printCheck(terminal, problems.length === 0, `${scene.task.id}: ${problems.join('; ') || scene.about}`);
    isAllWell &&= problems.length === 0;
  }
  return isAllWell;
}

export function printCheck(terminal: Terminal, isWell: boolean, text: string): void {
  terminal.print(`${isWell ? terminal.style('green', '✓') : terminal.style('red', '✗')} ${oneLine(text)}`);
}
