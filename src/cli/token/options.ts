import type { Command } from 'commander';
import { tokensFile } from '../../config/derived.ts';
import { loadConfig } from '../../config/load-config.ts';

export interface TokenOptions {
  readonly config?: string;
  readonly dataDir?: string;
  readonly json?: true;
}

export function withTokenOptions(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration (default: signalbox.config.yaml here, if there is one)')
    .option('--data-dir <directory>', 'where Signalbox keeps its data (env: SIGNALBOX_DATA_DIR)')
    .option('--json', 'print JSON for programs');
}

/** Where the tokens are. @throws SignalboxError `config_invalid` */
export async function fileOf({ config: file, dataDir }: TokenOptions): Promise<string> {
  const overrides = { data_dir: dataDir };
  const { config } = await loadConfig({ file, cwd: process.cwd(), env: process.env, overrides });
  return tokensFile(config);
}
