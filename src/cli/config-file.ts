/** The configuration that the options of a command name. */
import { type LoadedConfig, loadConfig } from '../config/load-config.ts';

interface Settings {
  readonly config?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly natsUrl?: string | undefined;
  readonly natsContext?: string | undefined;
  readonly logLevel?: string | undefined;
}

/** @throws SignalboxError `config_invalid` */
export async function loadConfigFor({ config: file, ...settings }: Settings): Promise<LoadedConfig> {
  return loadConfig({
    file,
    cwd: process.cwd(),
    env: process.env,
    overrides: {
      data_dir: settings.dataDir,
      host: settings.host,
      port: settings.port,
      nats_url: settings.natsUrl,
      nats_context: settings.natsContext,
      log_level: settings.logLevel,
    },
  });
}
