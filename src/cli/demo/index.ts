/** `signalbox demo`: shows Signalbox at work. */
import type { CommandRow } from '../command.ts';
import type { DemoOptions } from './run.ts';

export const demo: CommandRow = {
  name: 'demo',
  summary: 'see Signalbox work',
  description:
    'Runs six real agent programs on real input, without a model and without an API key: they work, fail, hang, are ' +
    'killed, retried and reviewed. Then deletes everything but the event log, and proves that the log restores the ' +
    'complete state. Takes less than a minute, in a temporary directory that is removed at the end.',
  examples: [['Run the demo', 'signalbox demo']],
  add: (command, terminal) =>
    command
      .option('--keep', 'keep the directory with the data and the log file')
      .action(async (options: DemoOptions) => {
        const { runDemo } = await import('./run.ts');
        await runDemo(terminal, options);
      }),
};
