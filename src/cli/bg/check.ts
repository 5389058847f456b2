import type { Command } from 'commander';
import type { BackgroundAnswer } from '../../contracts/api/background.ts';
import { clientOf, type ServerOptions, withServerOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { printable } from '../text/printable.ts';
import { type Column, tableLines } from '../text/table.ts';
import { ageText } from '../text/time.ts';

export function addBgCheck(bg: Command, terminal: Terminal): void {
  const command = withServerOptions(bg.command('check'))
    .summary('show one background command, or all')
    .description(
      'Shows one background command with the end of what it has printed, or lists the newest ones.',
    )
    .argument('[id]', 'the command')
    .action(async (id: string | undefined, options: ServerOptions) => {
      const client = clientOf(options);
      if (id === undefined) return showAll(terminal, (await client.listBackground()).tasks, options);
      const task = await client.checkBackground({ task: id });
      if (options.json) terminal.print(JSON.stringify(task, null, 2));
      else for (const line of pageOf(task)) terminal.print(line);
    });
  withExamples(command, [
    ['All of them', 'signalbox bg check'],
    ['One', 'signalbox bg check k3v9x2m1q8zt'],
  ]);
}

function showAll(terminal: Terminal, tasks: readonly BackgroundAnswer[], { json }: ServerOptions): void {
  if (json) terminal.print(JSON.stringify(tasks, null, 2));
  else if (tasks.length === 0) terminal.note('no background commands');
  else for (const line of tableLines(terminal, columnsOf(Date.now()), tasks)) terminal.print(line);
}

function columnsOf(now: number): Column<BackgroundAnswer>[] {
  return [
    { title: 'ID', text: ({ task_id }) => task_id, isName: true },
    { title: 'STATUS', text: ({ status }) => status },
    { title: 'AGE', text: ({ created_at }) => ageText(created_at, now), align: 'right' },
    { title: 'COMMAND', text: ({ command }) => command },
  ];
}

function pageOf({
  task_id,
  status,
  error,
  output,
  truncated,
  output_file,
  command,
}: BackgroundAnswer): string[] {
  return [
    `${task_id}  ${status}${error === null ? '' : `: ${printable(error)}`}`,
    `command: ${printable(command)}`,
    ...(output_file === null
      ? []
      : [`output${truncated ? ' (the end of it is below)' : ''}: ${output_file}`]),
    ...(output === null || output === '' ? [] : ['', ...output.trimEnd().split('\n').map(printable)]),
  ];
}
