/** Opens what the options name, for reading: a file, the log of a running Signalbox, or that of one that has stopped. */
import { join } from 'node:path';
import { pino } from 'pino';
import { loadConfig } from '../../config/load-config.ts';
import { openReadingLink } from '../../daemon/reading-link.ts';
import type { EventSource, LiveEventSource } from '../../replay/event-source.ts';
import { fileSource } from '../../replay/file-source.ts';
import { natsSource } from '../../replay/nats-source.ts';
import type { LogOptions } from './log-options.ts';

export interface OpenLog extends AsyncDisposable {
  readonly source: EventSource;
  /** The same as something that goes on; null where nobody can write to it. */
  readonly live: LiveEventSource | null;
  /** Where captured files are kept. */
  readonly contentDirectory: string;
}

/** @throws SignalboxError `config_invalid`, `not_found` where there is no log, `nats_unavailable` */
export async function openLog(options: LogOptions): Promise<OpenLog> {
  const { config } = await loadConfig({
    file: options.config,
    cwd: process.cwd(),
    env: process.env,
    overrides: { data_dir: options.dataDir, nats_url: options.natsUrl },
  });
  const contentDirectory = join(config.data_dir, 'content');
  if (options.file !== undefined) {
    const source = fileSource(options.file);
    return { source, live: null, contentDirectory, [Symbol.asyncDispose]: async () => {} };
  }
  const logger = pino({ level: 'silent' });
  const link = await openReadingLink({ config, logger, env: process.env });
  try {
    const source = await natsSource(link.connection);
    const live = link.isOwn ? null : source;
    return { source, live, contentDirectory, [Symbol.asyncDispose]: () => link.close() };
  } catch (error) {
    await link.close();
    throw error;
  }
}
