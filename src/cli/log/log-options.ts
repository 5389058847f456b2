/** What every command takes that reads the log itself, without asking a running Signalbox. */
import { type Command, Option } from 'commander';

/** Where the log is. */
export interface LogOptions {
  readonly config?: string;
  readonly dataDir?: string;
  readonly natsUrl?: string;
  readonly natsContext?: string;
}

/** The log, or what was written of it to a file. */
export interface SourceOptions extends LogOptions {
  readonly file?: string;
  readonly bundle?: string;
  readonly json?: true;
}

export function withLogOptions(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration (default: signalbox.config.yaml here, if there is one)')
    .option('--data-dir <directory>', 'where Signalbox keeps its data (env: SIGNALBOX_DATA_DIR)')
    .option('--nats-url <url>', 'the NATS server that has the log (env: NATS_URL)')
    .option('--nats-context <name>', 'the same, as a context of the nats command line (env: NATS_CONTEXT)');
}

export function withSourceOptions(command: Command): Command {
  return withLogOptions(command)
    .addOption(
      new Option('--file <file>', 'a file with the log, one stored event a line').conflicts([
        'natsUrl',
        'natsContext',
        'dataDir',
        'bundle',
      ]),
    )
    .addOption(
      new Option('--bundle <file>', 'a bundle of "audit export" (its proofs: "audit verify")').conflicts([
        'natsUrl',
        'natsContext',
        'dataDir',
      ]),
    )
    .option('--json', 'print JSON for programs');
}
