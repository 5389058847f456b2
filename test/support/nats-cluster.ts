/**
 * Three nats-servers on the loopback interface that keep each message three times, gone with the test.
 *
 *     await using cluster = await natsCluster();
 *     await cluster.kill(await cluster.leaderOf(EVENT_STREAM));
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NodeConnectionOptions } from '@nats-io/transport-node';
import { findGuard } from '../../src/embedded/guard.ts';
import { layoutOf } from '../../src/embedded/layout.ts';
import { freePort } from './free-port.ts';
import { natsServerProgram } from './nats.ts';
import { until } from './until.ts';

const SIZE = 3;
/** A stream that is there for a moment. */
const PROBE = 'PROBE';
/** Three servers elect a leader of the cluster before they answer. */
const READY_TIMEOUT_MS = 60_000;

/** One that is being asked may have been killed. */
const ASK_MS = 1_000;

interface Member {
  readonly name: string;
  readonly port: number;
  readonly confFile: string;
  process: ChildProcess | null;
}

export async function natsCluster(): Promise<TestNatsCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-cluster-'));
  const { path, version } = await natsServerProgram();
  // No server outlives a test that is killed.
  const { command } = await findGuard({ ...layoutOf(directory), lockFile: '/dev/null' }, process.env);
  const dieWithParent = command.slice(
    0,
    command.findIndex((each) => each.endsWith('flock')),
  );
  const cluster = new TestNatsCluster(directory, [...dieWithParent, path], version);
  try {
    await cluster.start();
    return cluster;
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

export class TestNatsCluster implements AsyncDisposable {
  /** As in `2.10.27`. */
  readonly version: string;
  readonly #directory: string;
  readonly #command: readonly string[];
  #members: readonly Member[] = [];

  constructor(directory: string, command: readonly string[], version: string) {
    this.#directory = directory;
    this.#command = command;
    this.version = version;
  }

  /** Of all members, with commas between. */
  get url(): string {
    return this.#members.map(({ port }) => `nats://127.0.0.1:${port}`).join(',');
  }

  /** A fresh object each time: add to it what you like. */
  get connectOptions(): NodeConnectionOptions {
    return { servers: this.url.split(','), noAsyncTraces: true };
  }

  async start(): Promise<void> {
    this.#members = await this.#define();
    for (const member of this.#members) this.#launch(member);
    await this.#untilWhole();
  }

  /** The name of the member that leads the stream. */
  async leaderOf(stream: string): Promise<string> {
    const connection = await connect(this.connectOptions);
    try {
      const manager = await jetstreamManager(connection, { checkAPI: false, timeout: ASK_MS });
      let leader = '';
      await until(
        async () => {
          leader = (await manager.streams.info(stream).catch(() => null))?.cluster?.leader ?? '';
          return leader !== '';
        },
        `the stream ${stream} has a leader`,
        READY_TIMEOUT_MS,
      );
      return leader;
    } finally {
      await connection.close();
    }
  }

  /** kill -9; it stays down until `restart`. */
  async kill(name: string): Promise<void> {
    const member = this.#member(name);
    const { process } = member;
    member.process = null;
    if (!process) return;
    process.kill('SIGKILL');
    await once(process, 'exit');
  }

  /** Starts a member again, and returns when it has all that the others have. */
  async restart(name: string, stream: string): Promise<void> {
    this.#launch(this.#member(name));
    const connection = await connect(this.connectOptions);
    try {
      const manager = await jetstreamManager(connection, { checkAPI: false, timeout: ASK_MS });
      await until(
        async () => {
          const { cluster } = await manager.streams.info(stream).catch(() => ({ cluster: undefined }));
          const current = cluster?.replicas?.filter((replica) => replica.current && !replica.offline) ?? [];
          return current.length === SIZE - 1;
        },
        `${name} has caught up`,
        READY_TIMEOUT_MS,
      );
    } finally {
      await connection.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map(({ name }) => this.kill(name)));
    await rm(this.#directory, { recursive: true, force: true });
  }

  #member(name: string): Member {
    const member = this.#members.find((each) => each.name === name);
    if (!member) throw new Error(`the cluster has no member ${name}`);
    return member;
  }

  #launch(member: Member): void {
    const [program = '', ...args] = [...this.#command, '-c', member.confFile];
    member.process = spawn(program, args, { stdio: 'ignore' });
  }

  async #define(): Promise<Member[]> {
    const names = Array.from({ length: SIZE }, (_, index) => `member-${index + 1}`);
    const routePorts = await Promise.all(names.map(() => freePort()));
    const routes = routePorts.map((port) => `"nats://127.0.0.1:${port}"`).join(', ');
    return Promise.all(
      names.map(async (name, index) => {
        const [port, directory] = [await freePort(), join(this.#directory, name)];
        await mkdir(directory);
        const confFile = join(directory, 'nats.conf');
        await writeFile(
          confFile,
          `server_name: "${name}"
listen: "127.0.0.1:${port}"
log_file: "${join(directory, 'log')}"
jetstream { store_dir: "${join(directory, 'store')}" }
cluster { name: "signalbox-test", listen: "127.0.0.1:${routePorts[index]}", routes: [ ${routes} ] }
`,
        );
        return { name, port, confFile, process: null };
      }),
    );
  }

  /** JetStream places a stream on all members once they have found each other, and have a leader that has heard of all. */
  async #untilWhole(): Promise<void> {
    const isWhole = async (): Promise<boolean> => {
      const connection = await connect({ ...this.connectOptions, timeout: ASK_MS }).catch(() => null);
      if (!connection) return false;
      try {
        const manager = await jetstreamManager(connection, { checkAPI: false, timeout: ASK_MS });
        await manager.streams.add({ name: PROBE, subjects: [PROBE], num_replicas: SIZE });
        return await manager.streams.delete(PROBE);
      } catch {
        return false;
      } finally {
        await connection.close();
      }
    };
    await until(isWhole, 'the cluster answers', READY_TIMEOUT_MS);
  }
}
