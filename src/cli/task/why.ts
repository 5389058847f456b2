import type { Command } from 'commander';
import type { WhyAnswer } from '../../contracts/api/why.ts';
import { type ClientOptions, clientOf, withClientOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { oneLine } from '../text/printable.ts';
import { styleOfState } from './state-style.ts';

export function addTaskWhy(task: Command, terminal: Terminal): void {
  const command = withClientOptions(task.command('why'))
    .summary('say why a task is not running, or not done')
    .description('Says what a task waits for, its place in the queue, and what happens next.')
    .argument('<id>', 'the task')
    .action(async (id: string, options: ClientOptions) => {
      const why = await clientOf(options).explainTask({ project: options.project, task: id });
      if (options.json) terminal.print(JSON.stringify(why, null, 2));
      else for (const line of whyLines(terminal, why)) terminal.print(line);
    });
  withExamples(command, [
    ['Why does it not start?', 'signalbox task why k3v9x2m1q8zt'],
    [
      'The kinds of its reasons, for a program',
      "signalbox task why k3v9x2m1q8zt --json | jq -r '.waits_for[].kind'",
    ],
  ]);
}

export function whyLines(
  terminal: Pick<Terminal, 'style'>,
  { id, status, waits_for: waits, next, queue }: WhyAnswer,
): string[] {
  const dim = (label: string): string => terminal.style('dim', label.padEnd(8));
  const place =
    queue === null
      ? []
      : [
          `${dim('queue')}${queue.position} of ${queue.length}${queue.of_other_projects > 0 ? `; projects take turns, and ${queue.of_other_projects} more wait in others` : ''}`,
        ];
  return [
    `task ${id} is ${terminal.style(styleOfState(status), status)}`,
    ...waits.map(({ detail }, index) => `${dim(index === 0 ? 'because' : '')}${oneLine(detail)}`),
    ...place,
    `${dim('next')}${oneLine(next)}`,
  ];
}
