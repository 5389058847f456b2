import type { Command } from 'commander';
import { type ClientOptions, clientOf, withClientOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import { attemptLines } from '../task/attempt-text.ts';
import type { Terminal } from '../terminal.ts';

export function addAttemptLs(attempt: Command, terminal: Terminal): void {
  const command = withClientOptions(attempt.command('ls'))
    .summary('list the attempts of a task')
    .description('Lists the attempts of a task: who, with which end, how long, with which error.')
    .argument('<task>', 'the task')
    .action(async (id: string, options: ClientOptions) => {
      const { attempts = [] } = await clientOf(options).readTask({
        project: options.project,
        task: id,
        expand: ['attempts'],
      });
      if (options.json) terminal.print(JSON.stringify(attempts, null, 2));
      else if (attempts.length === 0) terminal.note('no attempts yet');
      else for (const line of attemptLines(terminal, attempts)) terminal.print(line);
    });
  withExamples(command, [
    ['What has been tried', 'signalbox attempt ls k3v9x2m1q8zt'],
    [
      'The evidence of the last kill, for a program',
      "signalbox attempt ls k3v9x2m1q8zt --json | jq '.[-1].evidence'",
    ],
  ]);
}
