import type { Command } from 'commander';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

export interface DemoOptions {
  readonly keep?: true;
}

export function addDemo(program: Command, terminal: Terminal): void {
  const command = program
    .command('demo')
    .summary('see Signalbox work')
    .description(
      'Runs six real agent programs on real input, without a model and without a key: shows them work, fail, hang, be ' +
        'killed, retried and reviewed; prints what came of it; then deletes everything but the event log and proves that ' +
        'the log brings it all back. Takes less than a minute, in a temporary directory that is removed at the end.',
    )
    .option('--keep', 'keep the directory with the data and the log file of the demo')
    .action(async (options: DemoOptions) => {
      const { demo } = await import('./run.ts');
      await demo(terminal, options);
    });
  withExamples(command, [['Once, from the beginning to the end', 'signalbox demo']]);
}
