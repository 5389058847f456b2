/** Opens the event log for reading: of a running Signalbox, of a stopped one, or a file. */
import { join } from 'node:path';
import { pino } from 'pino';
import type { SignalboxConfig } from '../config/schema/config.ts';
import { openReadingLink } from '../daemon/reading-link.ts';
import type { EventSource, LiveEventSource } from '../engine/replay/event-source.ts';
import { liveSource } from '../engine/replay/event-source.ts';
import { fileSource } from '../engine/replay/file-source.ts';
import { bundleSource } from '../features/audit/bundle-source.ts';
import { type LiveLogReader, openLogReader } from '../journal/jetstream/jetstream-reader.ts';
import { loadConfigFor } from './config-file.ts';
import type { LogOptions, SourceOptions } from './options.ts';

export interface OpenReader extends AsyncDisposable {
  readonly reader: LiveLogReader;
  /** Name of the log in messages. */
  readonly where: string;
  /** Whether this process has the log to itself. */
  readonly isOwn: boolean;
  readonly dataDirectory: string;
}

export interface OpenLog extends AsyncDisposable {
  readonly source: EventSource;
  /** The same log to be followed; null if no other process can write to it. */
  readonly live: LiveEventSource | null;
  readonly dataDirectory: string;
  /** Directory of captured files. */
  readonly contentDirectory: string;
}

/** @throws SignalboxError `config_invalid`, `not_found` if there is no log, `nats_unavailable` */
export async function openReader(options: LogOptions): Promise<OpenReader> {
  return readerFor((await loadConfigFor(options)).config);
}

/** @throws SignalboxError `config_invalid`, `not_found` if there is no log, `nats_unavailable` */
export async function openLog(options: SourceOptions): Promise<OpenLog> {
  const { config } = await loadConfigFor(options);
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
