/** The NATS server that Signalbox runs for itself. */
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { lstatIfThere, namesIn, replaceFile } from './files.ts';
import { type InstallationOptions, prepareInstallation, type SyncMode } from './installation.ts';
import { type LaunchFailure, type LaunchResult, launchServer, type ReadyServer } from './launch.ts';
import type { Layout } from './layout.ts';
import { compareVersions, type NatsServerProgram } from './program.ts';
import { readPid, rememberedPort } from './running.ts';
import { type EmbeddedServerState, ServerSupervision } from './supervision.ts';

export interface EmbeddedServerOptions extends InstallationOptions {
  readonly logger: Logger;
  /** The port to listen on. By default that of the last start if it is free, else any. */
  readonly port?: number | undefined;
  /** Bytes that the store may take; never more than four fifths of the free space. */
  readonly maxFileBytes?: number | undefined;
  /** `1s` (default) or `always`, which needs nats-server 2.10. */
  readonly sync?: SyncMode | undefined;
  /** Called with each state as it is entered. */
  readonly onState?: ((state: EmbeddedServerState) => void) | undefined;
}

export type EmbeddedServer = Awaited<ReturnType<typeof startEmbeddedServer>>;

/** A server with a large store reads it before it answers. */
const READY_TIMEOUT_MS = 120_000;
const STOP_GRACE_MS = 10_000;
const SYNC_SINCE = '2.10.0';
/** Makes the server choose. */
const ANY_PORT = -1;

/** Part of the free space that the store may fill; the rest is for logs, snapshots and other programs. */
const SHARE_OF_FREE_SPACE = 0.8;
/** nats-server takes 0 as "choose yourself"; with this limit a full disk refuses writes and still serves reads. */
const MIN_STORE_BYTES = 1024 * 1024;

/**
 * Starts the embedded server and returns when JetStream answers. From then on the server is restarted if it dies, until
 * `stop`. Call it from the main thread (see `spawnServer`). If it throws, no server is left running.
 * @throws SignalboxError `log_in_use` if another Signalbox uses the data directory, `address_in_use` if `port` is taken,
 *   `config_invalid` if the server is too old for `sync`, `nats_unavailable` if it cannot be started
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions) {
  const { logger, onState, program, sync = '1s' } = options;
  requireSync(sync, program);
  const installation = await prepareInstallation(options);
  const { layout, credentials } = installation;
  const launch = async (port: number, signal: AbortSignal): Promise<LaunchResult> => {
    let maxFileBytes: number;
    try {
      // Measured at each launch: the disk may have filled since.
      maxFileBytes = await storeLimitBytes(layout.storeDir, options.maxFileBytes);
    } catch (error) {
      return { kind: 'failed', reason: `its store cannot be measured: ${messageOf(error)}` };
    }
    return launchServer({
      installation,
      settings: { port, maxFileBytes, sync },
      readyTimeoutMs: READY_TIMEOUT_MS,
      stopGraceMs: STOP_GRACE_MS,
      signal,
    });
  };
  onState?.({ kind: 'starting' });
  const notAborted = new AbortController().signal;
  const first = await launchFirst((port) => launch(port, notAborted), layout, options.port, logger);
  logger.info(
    { serverPid: first.pid, port: first.port, version: program.version, directory: layout.directory },
    'the embedded NATS server is ready',
  );
  const supervision = new ServerSupervision(first, {
    launch: (signal) => launch(first.port, signal),
    logger,
    stopGraceMs: STOP_GRACE_MS,
    onState,
  });
  return {
    /** `nats://127.0.0.1:<port>`, without credentials; the same until `stop`. */
    url: `nats://127.0.0.1:${first.port}`,
    ...credentials,
    /** The version of nats-server, as in `2.10.27`. */
    version: program.version,
    /** The directory that holds `jetstream/SIGNALBOX/streams/<stream>/msgs`. */
    storeDir: layout.storeDir,
    get state(): EmbeddedServerState {
      return supervision.state;
    },
    /** Undefined while no server answers. */
    get pid(): number | undefined {
      return supervision.state.kind === 'ready' ? supervision.state.pid : undefined;
    },
    /** How often the server was restarted after it had died. */
    get restarts(): number {
      return supervision.restarts;
    },
    /** Shuts the server down and returns when it is gone. May be called more than once, at any time. */
    stop: () => supervision.stop(),
  };
}

function requireSync(sync: SyncMode, { path, version }: NatsServerProgram): void {
  if (sync === '1s' || compareVersions(version, SYNC_SINCE) >= 0) return;
  throw new SignalboxError(
    'config_invalid',
    `sync "${sync}" needs nats-server ${SYNC_SINCE} or newer, and ${path} is ${version}: use a newer one, or sync "1s"`,
    { details: { path, version } },
  );
}

/** Starts the server once, and remembers its port for the next start. */
async function launchFirst(
  launch: (port: number) => Promise<LaunchResult>,
  layout: Layout,
  port: number | undefined,
  logger: Logger,
): Promise<ReadyServer> {
  const wanted = port ?? (await rememberedPort(layout)) ?? ANY_PORT;
  let result = await launch(wanted);
  if (result.kind === 'port_taken' && port === undefined) {
    logger.warn({ port: wanted }, 'the port of the last start is taken; the NATS server gets another one');
    result = await launch(ANY_PORT);
  }
  if (result.kind !== 'ready') throw await startError(result, layout, wanted);
  await replaceFile(layout.portFile, `${result.server.port}\n`).catch((error: unknown) => {
    // Other programs lose the address at the next start; that is no reason to have no server now.
    logger.warn(
      { file: layout.portFile, reason: messageOf(error) },
      'could not save the port of the NATS server: it may get another one at the next start',
    );
  });
  return result.server;
}

async function startError(
  { kind, reason }: LaunchFailure,
  { directory, logFile, ...layout }: Layout,
  port: number,
): Promise<SignalboxError> {
  if (kind === 'in_use') {
    const pid = await readPid(layout);
    const owner = pid === undefined ? '' : ` (its nats-server has pid ${pid})`;
    return new SignalboxError(
      'log_in_use',
      `the directory ${directory} is in use by another Signalbox${owner}: stop that one, or choose another data directory`,
      { details: { directory, pid } },
    );
  }
  if (kind === 'port_taken') {
    return new SignalboxError(
      'address_in_use',
      `another program uses 127.0.0.1:${port}: choose another port for the embedded NATS server, or none`,
      { details: { port } },
    );
  }
  return new SignalboxError(
    'nats_unavailable',
    `the embedded NATS server did not start: ${reason} (its log is ${logFile})`,
    { details: { directory, logFile } },
  );
}

/**
 * How many bytes the store in `directory` may take: what it has already and four fifths of the free space, but no more
 * than `configuredBytes`.
 */
export async function storeLimitBytes(
  directory: string,
  configuredBytes = Number.POSITIVE_INFINITY,
): Promise<number> {
  const disk = await statfs(directory);
  const freeBytes = disk.bavail * disk.bsize;
  const limit = Math.min(configuredBytes, (await sizeOf(directory)) + freeBytes * SHARE_OF_FREE_SPACE);
  return Math.max(MIN_STORE_BYTES, Math.floor(limit));
}

async function sizeOf(directory: string): Promise<number> {
  let bytes = 0;
  // By name, not by one recursive listing: a server that still runs may remove what was just listed.
  for (const name of await namesIn(directory)) {
    const path = join(directory, name);
    const entry = await lstatIfThere(path);
    bytes += entry?.isDirectory() ? await sizeOf(path) : (entry?.size ?? 0);
  }
  return bytes;
}
