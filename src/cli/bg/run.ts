import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { numberOf } from '../arguments.ts';
import { clientOf, type ServerOptions, withServerOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

interface RunOptions extends ServerOptions {
  readonly cwd: string;
  readonly timeout?: number;
}

export function addBgRun(bg: Command, terminal: Terminal): void {
  const command = withServerOptions(bg.command('run'))
    .summary('run a command in the background')
    .description('Runs a shell command in the background, supervised by Signalbox, and does not wait for it.')
    .argument('<command>', 'for /bin/sh')
    .option('--cwd <directory>', 'where to run it', '.')
    .option('--timeout <seconds>', 'after which it is killed with all that it has started', numberOf)
    .action(async (text: string, { cwd, timeout, ...options }: RunOptions) => {
      const request = { command: text, cwd: resolve(cwd), timeout_seconds: timeout };
      const started = await clientOf(options).runBackground(request, { idempotencyKey: randomUUID() });
      terminal.print(options.json ? JSON.stringify(started, null, 2) : started.message);
    });
  withExamples(command, [['The tests, ten minutes at most', 'signalbox bg run "npm test" --timeout 600']]);
}
