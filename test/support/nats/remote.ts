/** Signalbox with remote agents, on a private NATS server, and workers for them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, type NatsConnection, usernamePasswordAuthenticator } from '@nats-io/transport-node';
import { pino } from 'pino';
import { rejectedListSchema } from '../../../src/contracts/api/answers.ts';
import type { RejectionRecord } from '../../../src/contracts/messages/rejections.ts';
import { createSignalbox, type Signalbox, type SignalboxConfigInput } from '../../../src/index.ts';
import { type HandlerWorkerOptions, startWorker, type Worker } from '../../../src/worker/index.ts';
import { buildDirectory } from '../process/build.ts';
import { natsServer, type TestNatsOptions, type TestNatsServer } from './nats.ts';
import { connectOptionsOf, credentialsOf, prepareUsers } from './users.ts';

const WORKER_PROGRAM = fileURLToPath(new URL('../../fixtures/remote-worker.mjs', import.meta.url));

export interface WorkerProcess {
  readonly pid: number;
  kill(signal: NodeJS.Signals): Promise<void>;
}

export const logger = pino({ level: process.env.SIGNALBOX_TEST_LOG ?? 'silent' });

/** Limits for tests: a silent worker counts as offline after a second. */
export const REMOTE = {
  driver: 'remote',
  heartbeat_seconds: 0.2,
  offline_after_seconds: 1,
} as const;

export const OBSERVER = 'watcher';
export const OPERATOR = 'boss';

const DEFAULTS = {
  review: 'auto',
  max_attempts: 5,
  backoff: { initial_seconds: 0.01, jitter: 0 },
} as const;

export class RemoteWorld implements AsyncDisposable {
  readonly nats: TestNatsServer;
  readonly #directory: string;
  readonly #config: SignalboxConfigInput;
  readonly #workers: Worker[] = [];
  readonly #connections: NatsConnection[] = [];
  readonly #processes: ChildProcess[] = [];
  #signalbox: Signalbox | null = null;
  #caller: NatsConnection | null = null;

  private constructor(nats: TestNatsServer, directory: string, config: SignalboxConfigInput) {
    this.nats = nats;
    this.#directory = directory;
    this.#config = config;
  }

  /** Every remote agent is a user of the server, with no more rights than it needs, and so are the observer and the operator. */
  static async start(config: SignalboxConfigInput, options: TestNatsOptions = {}): Promise<RemoteWorld> {
    const { agents = {} } = config;
    const remote = Object.keys(agents).filter((id) => agents[id]?.driver === 'remote');
    const users = [
      ...remote.map((name) => ({ name, role: 'agent' }) as const),
      { name: OBSERVER, role: 'observer' },
      { name: OPERATOR, role: 'operator' },
    ] as const;
    const nats = await natsServer({
      prepare: (dataDirectory) => prepareUsers(dataDirectory, users),
      ...options,
    });
    const directory = await mkdtemp(join(tmpdir(), 'signalbox-remote-'));
    const world = new RemoteWorld(nats, directory, config);
    await world.up();
    return world;
  }

  get box(): Signalbox {
    if (this.#signalbox) return this.#signalbox;
    throw new Error('Signalbox is down');
  }

  get dataDirectory(): string {
    return join(this.#directory, 'data');
  }

  get auth(): { readonly user: string; readonly pass: string } {
    const { user = '', pass = '' } = this.nats.connectOptions as { user?: string; pass?: string };
    return { user, pass };
  }

  async up(): Promise<void> {
    const { user, pass } = this.auth;
    this.#signalbox = await createSignalbox({
      config: {
        ...this.#config,
        defaults: { ...DEFAULTS, ...this.#config.defaults },
        data_dir: this.dataDirectory,
        nats: { url: this.nats.url.replace('nats://', `nats://${user}:${pass}@`) },
      },
      logger,
    });
  }

  async down(): Promise<void> {
    await this.#signalbox?.stop();
    this.#signalbox = null;
  }

  async worker(options: Partial<HandlerWorkerOptions> & { readonly agent: string }): Promise<Worker> {
    const { user, pass } = credentialsOf(options.agent);
    const worker = await startWorker({
      servers: this.nats.url,
      authenticator: usernamePasswordAuthenticator(user, pass),
      logger,
      ...options,
    });
    this.#workers.push(worker);
    return worker;
  }

  /** A worker in a process of its own. Each of its jobs takes `ms` milliseconds. */
  async workerProcess(settings: {
    readonly agent: string;
    readonly concurrency: number;
    readonly ms: number;
    readonly servers?: string;
  }): Promise<WorkerProcess> {
    const journal = join(this.#directory, 'begun');
    const options = {
      build: await buildDirectory(),
      servers: this.nats.url,
      journal,
      ...credentialsOf(settings.agent),
      ...settings,
    };
    const child = spawn(process.execPath, [WORKER_PROGRAM, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#processes.push(child);
    await once(child.stdout, 'data');
    return {
      pid: child.pid ?? 0,
      kill: async (signal) => {
        child.kill(signal);
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      },
    };
  }

  /** The attempts that worker processes have begun: `task/attempt`. */
  async begun(): Promise<string[]> {
    const text = await readFile(join(this.#directory, 'begun'), 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  }

  /** Sends a command over NATS. */
  async command<Answer>(subject: string, payload: object = {}): Promise<Answer> {
    this.#caller ??= await this.connectAs(OPERATOR);
    const reply = await this.#caller.request(`signalbox.v1.cmd.${subject}`, JSON.stringify(payload));
    return reply.json<Answer>();
  }

  why(task: string): Promise<object> {
    return this.command('demo.explainTask', { task });
  }

  async rejected(agent: string): Promise<readonly RejectionRecord[]> {
    const answer = await this.command('_system.listRejectedMessages', { agent });
    return rejectedListSchema.parse(answer).rejected_messages;
  }

  /** The output of an attempt, as Signalbox stores it. */
  async log(task: string, attempt: number, stream: string): Promise<string> {
    this.#caller ??= await this.connectAs(OPERATOR);
    const request = JSON.stringify({ task, attempt, stream });
    return (await this.#caller.request('signalbox.v1.cmd.demo.readAttemptLog', request)).string();
  }

  async connect(): Promise<NatsConnection> {
    const connection = await connect(this.nats.connectOptions);
    this.#connections.push(connection);
    return connection;
  }

  /** As one of the users with few rights. */
  async connectAs(user: string): Promise<NatsConnection> {
    const connection = await connect(connectOptionsOf(user, this.nats.url));
    this.#connections.push(connection);
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#processes) child.kill('SIGKILL');
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    await this.down();
    await Promise.all(this.#connections.map((connection) => connection.close()));
    await this.nats.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
