/** Opens what the options name, for reading: a file, the log of a running Signalbox, or that of one that has stopped. */
import { join } from 'node:path';
import { pino } from 'pino';
import { loadConfig } from '../../config/load-config.ts';
import type { SignalboxConfig } from '../../config/schema/config.ts';
import { openReadingLink } from '../../daemon/reading-link.ts';
import type { EventSource, LiveEventSource } from '../../engine/replay/event-source.ts';
import { liveSource } from '../../engine/replay/event-source.ts';
import { fileSource } from '../../engine/replay/file-source.ts';
import { bundleSource } from '../../features/audit/bundle-source.ts';
import { type LiveLogReader, openLogReader } from '../../journal/jetstream/jetstream-reader.ts';
import type { LogOptions, SourceOptions } from './log-options.ts';

export interface OpenReader extends AsyncDisposable {
  readonly reader: LiveLogReader;
  /** What it reads, for messages. */
  readonly where: string;
  /** Whether nobody can write to the log meanwhile. */
  readonly isOwn: boolean;
  readonly dataDirectory: string;
}

export interface OpenLog extends AsyncDisposable {
  readonly source: EventSource;
  /** The same as something that goes on; null where nobody can write to it. */
  readonly live: LiveEventSource | null;
  readonly dataDirectory: string;
  /** Where captured files are kept. */
  readonly contentDirectory: string;
}

/** The log itself. @throws SignalboxError `config_invalid`, `not_found` where there is none, `nats_unavailable` */
export async function openReader(options: LogOptions): Promise<OpenReader> {
  return readerFor(await configFor(options));
}

/** @throws SignalboxError `config_invalid`, `not_found` where there is no log, `nats_unavailable` */
export async function openLog(options: SourceOptions): Promise<OpenLog> {
  const config = await configFor(options);
  const { data_dir: dataDirectory } = config;
  const places = { dataDirectory, contentDirectory: join(dataDirectory, 'content') };
  const file = fileOf(options);
  if (file) return { source: file, live: null, ...places, [Symbol.asyncDispose]: async () => {} };
  const log = await readerFor(config);
  const source = liveSource(log.reader, log.where);
  return {
    source,
    live: log.isOwn ? null : source,
    ...places,
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
  };
}

function fileOf({ file, bundle }: SourceOptions): EventSource | null {
  if (bundle !== undefined) return bundleSource(bundle);
  return file === undefined ? null : fileSource(file);
}

async function configFor(options: LogOptions): Promise<SignalboxConfig> {
  const { config } = await loadConfig({
    file: options.config,
    cwd: process.cwd(),
    env: process.env,
    overrides: {
      data_dir: options.dataDir,
      nats_url: options.natsUrl,
      nats_context: options.natsContext,
    },
  });
  return config;
}

async function readerFor(config: SignalboxConfig): Promise<OpenReader> {
  const link = await openReadingLink({ config, logger: pino({ level: 'silent' }), env: process.env });
  try {
    const reader = await openLogReader(link.connection);
    const { where, isOwn } = link;
    return {
      reader,
      where,
      isOwn,
      dataDirectory: config.data_dir,
      [Symbol.asyncDispose]: () => link.close(),
    };
  } catch (error) {
    await link.close();
    throw error;
  }
}
