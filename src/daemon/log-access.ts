/**
 * The log for whoever only reads it: on the server that the configuration names, on the embedded one of a Signalbox
 * that runs, or on one that is started for the time of the reading.
 */
import { existsSync } from 'node:fs';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { SignalboxConfig } from '../contracts/config.ts';
import { SignalboxError } from '../contracts/errors.ts';
import { loadCredentials } from '../embedded/credentials.ts';
import { readIfThere } from '../embedded/files.ts';
import { layoutOf } from '../embedded/layout.ts';
import { openLogReader } from '../journal/log-reader.ts';
import type { LogReader } from '../journal/redactions.ts';
import { openNatsLink } from './nats-link.ts';

export interface LogAccess {
  readonly reader: LogReader;
  /** Where it is, for messages. */
  readonly where: string;
  close(): Promise<void>;
}

export interface LogAccessOptions {
  readonly config: SignalboxConfig;
  readonly logger: Logger;
  readonly env: NodeJS.ProcessEnv;
}

const CONNECT_MS = 2_000;

/** @throws SignalboxError `not_found` where there is no log, `nats_unavailable`, `nats_server_missing`, `log_in_use` */
export async function openLog(options: LogAccessOptions): Promise<LogAccess> {
  const { data_dir, nats } = options.config;
  if (nats.url === undefined) {
    if (!existsSync(layoutOf(data_dir).storeDir)) {
      throw new SignalboxError(
        'not_found',
        `${data_dir} holds no event log: name the data directory with --data-dir, or the server with NATS_URL`,
      );
    }
    const running = await connectToRunning(data_dir);
    if (running) return access(running, `the server that runs on ${data_dir}`, () => running.close());
  }
  const link = await openNatsLink(options);
  return access(link.connection, link.embedded === null ? link.url : data_dir, () => link.close());
}

async function access(
  connection: NatsConnection,
  where: string,
  close: () => Promise<void>,
): Promise<LogAccess> {
  try {
    return { reader: await openLogReader(connection), where, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** null where no embedded server answers. */
async function connectToRunning(dataDirectory: string): Promise<NatsConnection | null> {
  const { portFile, credentialsFile } = layoutOf(dataDirectory);
  const port = Number.parseInt((await readIfThere(portFile)) ?? '', 10);
  if (!(port > 0) || !existsSync(credentialsFile)) return null;
  const { user, password } = await loadCredentials(credentialsFile);
  const servers = `nats://127.0.0.1:${port}`;
  const settings = { servers, user, pass: password, noAsyncTraces: true, timeout: CONNECT_MS };
  return connect({ ...settings, name: 'signalbox-audit', reconnect: false }).catch(() => null);
}
