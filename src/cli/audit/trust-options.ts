/** What the audit commands take that verify: what is to be verified, and whom to trust. */
import { type Command, Option } from 'commander';
import { append } from '../arguments.ts';
import { type LogOptions, withLogOptions } from '../log/log-options.ts';

export interface TrustOptions extends LogOptions {
  readonly bundle?: string;
  readonly key: readonly string[];
}

/** With `--data-dir` a bundle is also held against what that directory has noted of the log. */
export function withTrustOptions(command: Command): Command {
  return withLogOptions(command)
    .addOption(
      new Option('--bundle <file>', 'read this bundle of "audit export" instead of the log').conflicts([
        'natsUrl',
        'natsContext',
      ]),
    )
    .option(
      '--key <file-or-fingerprint>',
      'trust this public key and those that it vouches for; may be repeated (default: the first key of the log)',
      append,
      [],
    );
}
