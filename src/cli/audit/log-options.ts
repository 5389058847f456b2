/** What the audit commands take that read a log: where it is, and whom to trust. */
import { type Command, Option } from 'commander';
import { append } from '../arguments.ts';

export interface LogOptions {
  readonly config?: string;
  readonly dataDir?: string;
  readonly natsUrl?: string;
}

export interface TrustOptions {
  readonly bundle?: string;
  readonly key: readonly string[];
}

export function withLogOptions(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration (default: signalbox.config.yaml here, if there is one)')
    .option('--data-dir <directory>', 'where Signalbox keeps its data (env: SIGNALBOX_DATA_DIR)')
    .option('--nats-url <url>', 'the NATS server that has the log (env: NATS_URL)');
}

export function withTrustOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--bundle <file>', 'read this bundle of "audit export" instead of the log').conflicts(
        'natsUrl',
      ),
    )
    .option(
      '--key <file-or-fingerprint>',
      'trust this public key and those that it vouches for; may be repeated (default: the first key of the log)',
      append,
      [],
    );
}
