import type { Command } from 'commander';
import { numberOf } from '../arguments.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

export interface WorkerCommandOptions {
  readonly agent: string;
  readonly config?: string;
  readonly dataDir?: string;
  readonly natsUrl?: string;
  readonly natsContext?: string;
  readonly credentials?: string;
  readonly slots?: number;
  readonly logLevel?: string;
}

export function addWorker(program: Command, terminal: Terminal): void {
  const command = program
    .command('worker')
    .summary('work for an agent from another machine')
    .description(
      'Takes the tasks of an agent that Signalbox has with "driver: remote", and runs them here: with the driver that the ' +
        'configuration of this machine gives the agent of the same id. Ctrl-C lets what runs finish for a while, and gives ' +
        'back the rest; once more, and it stops at once.',
    )
    .requiredOption('--agent <id>', 'the agent to work for')
    .option('--config <file>', 'the configuration of this machine (default: signalbox.config.yaml here)')
    .option('--nats-url <url>', 'the NATS server of Signalbox (env: NATS_URL)')
    .option('--nats-context <name>', 'the same, as a context of the nats command line (env: NATS_CONTEXT)')
    .option('--credentials <file>', 'the agent\'s seed, as "signalbox nats users" has made it')
    .option('--data-dir <directory>', 'where running attempts have their files (env: SIGNALBOX_DATA_DIR)')
    .option('--slots <number>', 'tasks at the same time (default: concurrency of the agent)', numberOf)
    .option('--log-level <level>', 'debug, info, warn, error or silent (env: SIGNALBOX_LOG_LEVEL)')
    .action(async (options: WorkerCommandOptions) => {
      const { runWorker } = await import('./run.ts');
      await runWorker(terminal, options);
    });
  withExamples(command, [
    [
      'Work for the agent builder',
      'signalbox worker --agent builder --nats-url tls://signalbox.example.org:4222 --credentials builder.nk',
    ],
  ]);
}
