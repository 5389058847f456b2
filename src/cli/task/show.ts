import type { Command } from 'commander';
import type { Expansion } from '../../contracts/api/requests.ts';
import { type ClientOptions, clientOf, withClientOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { taskPage } from './task-page.ts';

interface ShowOptions extends ClientOptions {
  readonly events?: true;
  readonly full?: true;
}

export function addTaskShow(task: Command, terminal: Terminal): void {
  const command = withClientOptions(task.command('show'))
    .summary('show a task')
    .description('Shows a task with its attempts, outputs and comments.')
    .argument('<id>', 'the task')
    .option('--full', 'show contents whole')
    .option('--events', 'show every event as well')
    .action(async (id: string, options: ShowOptions) => {
      const parts: Expansion[] = ['outputs', 'comments', 'attempts'];
      if (options.events) parts.push('events');
      const answer = await clientOf(options).readTask({ project: options.project, task: id, expand: parts });
      if (options.json) terminal.print(JSON.stringify(answer, null, 2));
      else
        terminal.print(
          taskPage(terminal, answer, { full: options.full === true, now: Date.now() }).join('\n'),
        );
    });
  withExamples(command, [
    ['A task and the beginning of its outputs', 'signalbox task show k3v9x2m1q8zt'],
    [
      'The last output, for a program',
      "signalbox task show k3v9x2m1q8zt --json | jq -r '.outputs[-1].content'",
    ],
  ]);
}
