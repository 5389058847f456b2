import type { Command } from 'commander';
import { clientOf, type ServerOptions, withServerOptions } from './client-options.ts';
import { withExamples } from './help.ts';
import { processLines } from './process-tree.ts';
import type { Terminal } from './terminal.ts';

export function addPs(program: Command, terminal: Terminal): void {
  const command = withServerOptions(program.command('ps'))
    .summary('show the processes of running agents')
    .description(
      'Shows every open attempt with the tree of its processes, also those that left its group or session.',
    )
    .action(async (options: ServerOptions) => {
      const attempts = (await clientOf(options).listProcesses()).attempts;
      if (options.json) terminal.print(JSON.stringify(attempts, null, 2));
      else if (attempts.length === 0) terminal.note('nothing runs');
      else terminal.print(attempts.map((each) => processLines(terminal, each).join('\n')).join('\n\n'));
    });
  withExamples(command, [
    ['What runs', 'signalbox ps'],
    ['Their pids, for a script', "signalbox ps --json | jq '.[].processes[]?.pid'"],
  ]);
}
