import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { DEFAULT_CURSOR } from '../../contracts/api/background.ts';
import { clientOf, type ServerOptions, withServerOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { printable } from '../text/printable.ts';

interface DrainOptions extends ServerOptions {
  readonly cursor: string;
}

export function addBgDrain(bg: Command, terminal: Terminal): void {
  const command = withServerOptions(bg.command('drain'))
    .summary('fetch what has finished since the last time')
    .description('Prints the results of background commands that have finished. Each cursor gets each once.')
    .option('--cursor <name>', 'whose notifications', DEFAULT_CURSOR)
    .action(async ({ cursor, ...options }: DrainOptions) => {
      const drained = await clientOf(options).drainNotifications({ cursor, drain_id: randomUUID() });
      if (options.json) terminal.print(JSON.stringify(drained, null, 2));
      else if (drained.text === '') terminal.note('nothing has finished since the last time');
      else for (const line of drained.text.split('\n')) terminal.print(printable(line));
    });
  withExamples(command, [['For the next turn of a model', 'signalbox bg drain --cursor my-session']]);
}
