/** What every command takes that reads the log itself, without asking a running Signalbox. */
import { type Command, Option } from 'commander';

export interface LogOptions {
  readonly config?: string;
  readonly dataDir?: string;
  readonly natsUrl?: string;
  readonly file?: string;
  readonly json?: true;
}

export function withLogOptions(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration (default: signalbox.config.yaml here, if there is one)')
    .option('--data-dir <directory>', 'where Signalbox keeps its data (env: SIGNALBOX_DATA_DIR)')
    .option('--nats-url <url>', 'the NATS server that has the log (env: NATS_URL)')
    .addOption(
      new Option('--file <file>', 'a file with the log, one stored event a line').conflicts([
        'natsUrl',
        'dataDir',
      ]),
    )
    .option('--json', 'print JSON for programs');
}
