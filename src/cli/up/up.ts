import type { Command } from 'commander';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

export interface UpOptions {
  readonly config?: string;
  readonly dataDir?: string;
  readonly host?: string;
  readonly port?: string;
  readonly natsUrl?: string;
  readonly natsContext?: string;
  readonly logLevel?: string;
  readonly standby?: boolean;
}

export function addUp(program: Command, terminal: Terminal): void {
  const command = program
    .command('up')
    .summary('run Signalbox')
    .description(
      'Runs Signalbox in the foreground: its NATS server (or yours, with --nats-url), the agents of the configuration, ' +
        'and HTTP. Ctrl-C stops it in good order; once more, and it stops without waiting. Running agents are left running ' +
        'and taken up by the next start, unless the configuration says otherwise.',
    )
    .option('--config <file>', 'the configuration (default: signalbox.config.yaml here, if there is one)')
    .option('--data-dir <directory>', 'where it keeps its data (env: SIGNALBOX_DATA_DIR)')
    .option('--port <number>', 'the port of HTTP; 0 takes a free one (env: SIGNALBOX_PORT)')
    .option('--host <address>', 'the address of HTTP; beyond loopback only with tokens (env: SIGNALBOX_HOST)')
    .option('--nats-url <url>', 'a NATS server with JetStream to use instead of an own one (env: NATS_URL)')
    .option('--nats-context <name>', 'the same, as a context of the nats command line (env: NATS_CONTEXT)')
    .option(
      '--standby',
      'wait while another Signalbox writes the log, and take over when it is gone or hangs',
    )
    .option('--log-level <level>', 'debug, info, warn, error or silent (env: SIGNALBOX_LOG_LEVEL)')
    .action(async (options: UpOptions) => {
      const { up } = await import('./run.ts');
      await up(terminal, options);
    });
  withExamples(command, [
    ['With signalbox.config.yaml of this directory', 'signalbox up'],
    [
      'A second one that takes over when the first is gone',
      'signalbox up --standby --nats-url nats://db:4222',
    ],
    ['Another one beside it', 'signalbox up --config other.yaml --data-dir /var/tmp/other --port 8084'],
  ]);
}
