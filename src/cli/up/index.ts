/** `signalbox up`: runs Signalbox. */
import type { CommandRow } from '../command.ts';
import { withConfig, withLogLevel, withNats } from '../options.ts';
import type { UpOptions } from './run.ts';

export const up: CommandRow = {
  name: 'up',
  summary: 'run Signalbox',
  description:
    'Runs Signalbox in the foreground: its NATS server (or yours, with --nats-url), the configured agents, and the HTTP ' +
    'API. Ctrl-C stops it gracefully; a second Ctrl-C stops it without waiting. Running agents continue, and the next ' +
    'start adopts them, unless the configuration says otherwise.',
  examples: [
    ['Run with signalbox.config.yaml in this directory', 'signalbox up'],
    [
      'Run a standby that takes over when the first one is gone',
      'signalbox up --standby --nats-url nats://db:4222',
    ],
    ['Run a second Signalbox', 'signalbox up --config other.yaml --data-dir /var/tmp/other --port 8084'],
  ],
  add: (command, terminal) => {
    const configured = withConfig(command)
      .option('--port <number>', 'port of the HTTP API; 0 picks a free one (env: SIGNALBOX_PORT)')
      .option(
        '--host <address>',
        'address of the HTTP API; needs tokens unless loopback (env: SIGNALBOX_HOST)',
      );
    withLogLevel(withNats(configured, 'NATS server with JetStream (default: start one)'))
      .option('--standby', 'wait while another Signalbox is active, and take over when it is gone or hangs')
      .action(async (options: UpOptions) => {
        const { runUp } = await import('./run.ts');
        await runUp(terminal, options);
      });
  },
};
