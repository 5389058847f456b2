/**
 * Real nats-servers for tests: each one private, on its own port and store, and gone with the test.
 *
 *     await using nats = await natsServer();
 *     const connection = await connect(nats.connectOptions);
 *
 * The program is the one that Signalbox itself would start (`SIGNALBOX_NATS_SERVER` names another); it is fetched when
 * the machine has none. A test that is killed leaves no server behind, only its temporary directory.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeConnectionOptions } from '@nats-io/transport-node';
import { type Logger, pino } from 'pino';
import { type Installation, prepareInstallation } from '../../../src/daemon/embedded/installation.ts';
import { type LaunchOptions, launchServer, type ReadyServer } from '../../../src/daemon/embedded/launch.ts';
import { obtainNatsServer } from '../../../src/daemon/embedded/obtain.ts';
import type { NatsServerProgram } from '../../../src/daemon/embedded/program.ts';
import { terminate } from '../../../src/daemon/embedded/server-process.ts';

const silent: Logger = pino({ level: 'silent' });
const STORE_LIMIT_BYTES = 4 * 1024 ** 3;
const READY_TIMEOUT_MS = 20_000;
const STOP_GRACE_MS = 5_000;

let located: Promise<NatsServerProgram> | undefined;

/** The program that tests use; located, and downloaded if missing, once in each process. */
export function natsServerProgram(): Promise<NatsServerProgram> {
  located ??= obtainNatsServer({ logger: silent, env: process.env });
  return located;
}

export interface TestNatsOptions {
  /** Instead of the one that Signalbox itself would start. */
  readonly program?: NatsServerProgram;
  /** Fills the data directory before the server starts. */
  readonly prepare?: (dataDirectory: string) => Promise<void>;
}

/** Starts a private server with an empty store. */
export async function natsServer(options: TestNatsOptions = {}): Promise<TestNatsServer> {
  const program = options.program ?? (await natsServerProgram());
  const dataDir = await mkdtemp(join(tmpdir(), 'signalbox-nats-'));
  await options.prepare?.(dataDir);
  const installation = await prepareInstallation({ dataDir, program, env: process.env });
  const server = new TestNatsServer(dataDir, installation);
  try {
    await server.restart();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/** A server that only the test starts and stops: nothing restarts it by itself. */
export class TestNatsServer implements AsyncDisposable {
  readonly #dataDir: string;
  readonly #installation: Installation;
  #running: ReadyServer | undefined;
  #port = -1;

  constructor(dataDir: string, installation: Installation) {
    this.#dataDir = dataDir;
    this.#installation = installation;
  }

  /** `nats://127.0.0.1:<port>`, without credentials. The same for the whole life of this object. */
  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  /** The options that `connect` needs; a fresh object each time, which a test may extend. */
  get connectOptions(): NodeConnectionOptions {
    const { user, password } = this.#installation.credentials;
    return { servers: this.url, user, pass: password, noAsyncTraces: true };
  }

  /** Where the server's own files are, in `nats/`. */
  get dataDirectory(): string {
    return this.#dataDir;
  }

  /** As in `2.10.27`. */
  get version(): string {
    return this.#installation.program.version;
  }

  /** The directory that holds `jetstream/<account>/streams/<stream>`; the account is SIGNALBOX. */
  get storeDir(): string {
    return this.#installation.layout.storeDir;
  }

  /** Undefined while the server is down. */
  get pid(): number | undefined {
    return this.#running?.pid;
  }

  /** Kills the server without warning; it stays down until `restart`. The store keeps what was acknowledged. */
  async kill9(): Promise<void> {
    const server = this.#running;
    this.#running = undefined;
    server?.kill('SIGKILL');
    await server?.exited;
  }

  /**
   * Starts the server again, on the same port and store. A server that runs is shut down in good order first.
   * @param whileDown runs while the server is down, for example to damage its store
   */
  async restart(whileDown: () => Promise<void> = async () => {}): Promise<void> {
    await this.#shutDown();
    await whileDown();
    const result = await launchServer(this.#launchOptions());
    if (result.kind !== 'ready') throw new Error(`nats-server did not start: ${JSON.stringify(result)}`);
    this.#running = result.server;
    this.#port = result.server.port;
  }

  /** Shuts the server down and removes its store. May be called again. */
  async stop(): Promise<void> {
    await this.#shutDown();
    await rm(this.#dataDir, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #shutDown(): Promise<void> {
    const server = this.#running;
    this.#running = undefined;
    if (server !== undefined) await terminate(server, STOP_GRACE_MS);
  }

  #launchOptions(): LaunchOptions {
    return {
      installation: this.#installation,
      settings: { port: this.#port, maxFileBytes: STORE_LIMIT_BYTES, sync: '1s' },
      readyTimeoutMs: READY_TIMEOUT_MS,
      stopGraceMs: STOP_GRACE_MS,
      signal: new AbortController().signal,
    };
  }
}
