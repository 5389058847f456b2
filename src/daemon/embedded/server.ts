/** The NATS server that Signalbox runs for itself. Invariants: E1 to E3 in launch.ts, E4 and E5 in supervision.ts. */
import type { Logger } from 'pino';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import type { SyncMode } from './conf.ts';
import { storeLimitBytes } from './disk.ts';
import type { Environment } from './executables.ts';
import { launchFirst } from './first-launch.ts';
import { type LaunchResult, launchServer } from './launch.ts';
import type { NatsServerProgram } from './locate.ts';
import { prepareInstallation } from './prepare.ts';
import { type EmbeddedServerState, Supervision } from './supervision.ts';
import { compareVersions } from './version.ts';

export type { EmbeddedServerState } from './supervision.ts';

export type EmbeddedServerOptions = Readonly<{
  /** The data directory of Signalbox; the server keeps its files in `nats/` below it. */
  dataDir: string;
  program: NatsServerProgram;
  logger: Logger;
  /** Where `flock` and `setpriv` are looked for. */
  env: Environment;
  /** The port to listen on. Without it the one of the last start if it is free, else any. */
  port?: number | undefined;
  /** Bytes that the store may take; never more than four fifths of what the disk has free. */
  maxFileBytes?: number | undefined;
  /** `1s` (default) or `always`, which needs nats-server 2.10. */
  sync?: SyncMode | undefined;
  /** The configuration to use instead of the `nats.conf` of this package. */
  confFile?: string | undefined;
  /** Told of each state as it is entered. */
  onState?: ((state: EmbeddedServerState) => void) | undefined;
}>;

export interface EmbeddedServer {
  /** `nats://127.0.0.1:<port>`, without credentials; the same until `stop`. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** The version of nats-server, as in `2.10.27`. */
  readonly version: string;
  /** The directory that holds `jetstream/SIGNALBOX/streams/<stream>/msgs`. */
  readonly storeDir: string;
  readonly state: EmbeddedServerState;
  /** Undefined while no server answers. */
  readonly pid: number | undefined;
  /** How often the server was brought back after it had died. */
  readonly restarts: number;
  /** Shuts the server down and returns when it is gone. May be called more than once, and at any moment. */
  stop(): Promise<void>;
}

/** A server with a large store reads it before it answers. */
const READY_TIMEOUT_MS = 120_000;
const STOP_GRACE_MS = 10_000;
const SYNC_SINCE = '2.10.0';

/**
 * Starts the embedded server and returns when JetStream answers. From then on it is started again whenever it dies,
 * until `stop`. To be called from the main thread (see `spawnServer`).
 *
 * Throws `log_in_use` when another Signalbox has the data directory, `address_in_use` when `port` is taken,
 * `config_invalid` when the server is too old for `sync`, `nats_unavailable` when it cannot be started. Then no server
 * is left running.
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const { logger, onState, program, sync = '1s' } = options;
  requireSync(sync, program);
  const installation = await prepareInstallation(options);
  const { layout, credentials } = installation;
  const launch = async (port: number, signal: AbortSignal): Promise<LaunchResult> => {
    let maxFileBytes: number;
    try {
      // Asked each time: the disk may have filled since.
      maxFileBytes = await storeLimitBytes(layout.storeDir, options.maxFileBytes);
    } catch (error) {
      return { kind: 'failed', reason: `the store cannot be measured: ${messageOf(error)}` };
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
  const first = await launchFirst({
    launch: (port) => launch(port, notAborted),
    layout,
    port: options.port,
    logger,
  });
  logger.info(
    { serverPid: first.pid, port: first.port, version: program.version, directory: layout.directory },
    'the embedded NATS server is ready',
  );
  const supervision = new Supervision(first, {
    launch: (signal) => launch(first.port, signal),
    logger,
    stopGraceMs: STOP_GRACE_MS,
    onState,
  });
  return {
    url: `nats://127.0.0.1:${first.port}`,
    user: credentials.user,
    password: credentials.password,
    version: program.version,
    storeDir: layout.storeDir,
    get state() {
      return supervision.state;
    },
    get pid() {
      return supervision.state.kind === 'ready' ? supervision.state.pid : undefined;
    },
    get restarts() {
      return supervision.restarts;
    },
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
