/**
 * A connection for reading the log, beside a running Signalbox or without one. It takes no lease and shares a running
 * embedded server; if none is running, one is started for the time of the reading.
 */
import type { NatsConnection } from '@nats-io/transport-node';
import { SignalboxError } from '../contracts/errors.ts';
import { findRunningServer, hasStore } from './embedded/running.ts';
import { connectTo, isServerGiven } from './nats-address.ts';
import { type NatsLinkOptions, natsUnavailable, openNatsLink } from './nats-link.ts';

interface ReadingLink {
  readonly connection: NatsConnection;
  /** Whether the server runs only for this reading: then there is no writer. */
  readonly isOwn: boolean;
  readonly where: string;
  close(): Promise<void>;
}

/** @throws SignalboxError `not_found` if there is no log, `nats_unavailable`, `nats_server_missing`, `log_in_use` */
export async function openReadingLink(options: NatsLinkOptions): Promise<ReadingLink> {
  const { data_dir: dataDir } = options.config;
  if (isServerGiven(options.config)) {
    const { connection, url, close } = await openNatsLink(options);
    return { connection, isOwn: false, where: `the log at ${url}`, close };
  }
  if (!(await hasStore(dataDir))) {
    throw new SignalboxError(
      'not_found',
      `there is no event log in ${dataDir}: no Signalbox has run there. Name its data directory with --data-dir, its NATS server with --nats-url, or a file with --file or --bundle`,
    );
  }
  return (await joinRunning(dataDir)) ?? openOwn(options, dataDir);
}

async function joinRunning(dataDir: string): Promise<ReadingLink | undefined> {
  const running = await findRunningServer(dataDir);
  if (running === undefined) return undefined;
  const { url, user, password } = running;
  try {
    const connection = await connectTo({ servers: url, user, pass: password });
    const where = `the log at ${url}`;
    return { connection, isOwn: false, where, close: () => connection.close() };
  } catch (error) {
    throw natsUnavailable(url, error);
  }
}

async function openOwn(options: NatsLinkOptions, dataDir: string): Promise<ReadingLink> {
  try {
    const link = await openNatsLink(options);
    const where = `the log in ${dataDir}`;
    return { connection: link.connection, isOwn: true, where, close: () => link.close() };
  } catch (error) {
    if (!(error instanceof SignalboxError) || error.code !== 'log_in_use') throw error;
    // Another process has started it meanwhile.
    const joined = await joinRunning(dataDir);
    if (joined === undefined) throw error;
    return joined;
  }
}
