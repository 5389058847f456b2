import type { Command } from 'commander';
import { BACKGROUND_PROJECT } from '../../contracts/ids.ts';
import { clientOf, type ServerOptions, userName, withServerOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

interface KillOptions extends ServerOptions {
  readonly by: string;
}

export function addBgKill(bg: Command, terminal: Terminal): void {
  const command = withServerOptions(bg.command('kill'))
    .summary('end a command that runs, or waits to')
    .description(
      'Ends a background command with all that it has started. It is asked to end, and then made to. The answer does not wait for that.',
    )
    .argument('<id>', 'the command')
    .option('--by <name>', 'who kills it', userName())
    .action(async (id: string, { by, ...options }: KillOptions) => {
      const client = clientOf(options);
      await client.cancelTask({ project: BACKGROUND_PROJECT, task: id, by });
      const killed = await client.checkBackground({ task: id });
      if (options.json) terminal.print(JSON.stringify(killed, null, 2));
      else terminal.print(`${killed.task_id}  ${killed.status}`);
    });
  withExamples(command, [['One that hangs', 'signalbox bg kill k3v9x2m1q8zt']]);
}
