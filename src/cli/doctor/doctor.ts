import type { Command } from 'commander';
import { type ServerOptions, withServerOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

export interface DoctorOptions extends ServerOptions {
  readonly config?: string;
  readonly dataDir?: string;
  readonly repair?: boolean;
}

export function addDoctor(program: Command, terminal: Terminal): void {
  const command = withServerOptions(program.command('doctor'))
    .summary('see whether Signalbox can run here')
    .description(
      'Looks whether Signalbox can run here, and says what to do where it cannot. Changes nothing without --repair.',
    )
    .option('--config <file>', 'the configuration (default: signalbox.config.yaml here, if there is one)')
    .option('--data-dir <directory>', 'where it is to keep its data (env: SIGNALBOX_DATA_DIR)')
    .option('--repair', 'kill agents that an earlier run has left, and remove its stale files and lease')
    .action(async (options: DoctorOptions) => {
      const { doctor } = await import('./run.ts');
      await doctor(terminal, options);
    });
  withExamples(command, [
    ['Before the first start', 'signalbox doctor'],
    ['After a crash, instead of going on with "up"', 'signalbox doctor --repair'],
  ]);
}
