/** `signalbox worker`: runs the tasks of a remote agent. */
import { numberOf } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import { withConfig, withLogLevel, withNats } from '../options.ts';
import type { WorkerOptions } from './run.ts';

export const worker: CommandRow = {
  name: 'worker',
  summary: 'run tasks of a remote agent on this machine',
  description:
    'Runs tasks of a `driver: remote` agent on this machine, with the driver that the configuration of this machine gives ' +
    'the agent of the same id. Ctrl-C waits a while for running tasks and returns the others; a second Ctrl-C stops at ' +
    'once.',
  examples: [
    [
      'Work for the agent builder',
      'signalbox worker --agent builder --nats-url tls://signalbox.example.org:4222 --credentials builder.nk',
    ],
  ],
  add: (command, terminal) => {
    const configured = withConfig(command.requiredOption('--agent <id>', 'the agent to work for'));
    withLogLevel(withNats(configured, 'NATS server of Signalbox'))
      .option('--credentials <file>', 'seed of the agent, created by "signalbox nats users"')
      .option('--slots <number>', 'tasks at the same time (default: concurrency of the agent)', numberOf)
      .action(async (options: WorkerOptions) => {
        const { runWorker } = await import('./run.ts');
        await runWorker(terminal, options);
      });
  },
};
