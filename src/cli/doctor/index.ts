/** `signalbox doctor`: checks whether Signalbox can run on this machine. */
import type { CommandRow } from '../command.ts';
import { withConfig, withServer } from '../options.ts';
import type { DoctorOptions } from './run.ts';

export const doctor: CommandRow = {
  name: 'doctor',
  summary: 'check whether Signalbox can run here',
  description:
    'Checks whether Signalbox can run on this machine, and says how to fix each problem. Changes nothing without --repair.',
  examples: [
    ['Check before the first start', 'signalbox doctor'],
    ['Clean up after a crash without starting Signalbox', 'signalbox doctor --repair'],
  ],
  add: (command, terminal) =>
    withConfig(withServer(command))
      .option('--repair', 'kill agents left by an earlier run, and remove its stale files and lease')
      .action(async (options: DoctorOptions) => {
        const { runDoctor } = await import('./run.ts');
        await runDoctor(terminal, options);
      }),
};
