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
import { z } from 'zod';
import { dieWithParent } from '../process/die-with-parent.ts';
import { freePort } from '../process/free-port.ts';
import { until } from '../until.ts';
import { natsServerProgram } from './nats.ts';

const SIZE = 3;
const PROBE = 'PROBE';
/** Three servers elect a leader of the cluster before they answer. */
const READY_TIMEOUT_MS = 60_000;

/** A server that is asked may have been killed. */
const ASK_MS = 1_000;

interface Member {
  readonly name: string;
  readonly port: number;
  readonly monitorPort: number;
  readonly confFile: string;
  process: ChildProcess | null;
}

const jszSchema = z.object({
  account_details: z.array(
    z.object({
      stream_detail: z.array(z.object({ name: z.string(), state: z.object({ last_seq: z.number() }) })),
    }),
  ),
});

export async function natsCluster(): Promise<TestNatsCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-cluster-'));
  const { path, version } = await natsServerProgram();
  const guard = await dieWithParent(directory);
  const cluster = new TestNatsCluster(directory, [...guard, path], version);
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

  /**
   * Starts a member again, and returns when it has all that the others have. The leader's report is not enough: it
   * calls a replica current that has yet to store what it was sent.
   */
  async restart(name: string, stream: string): Promise<void> {
    this.#launch(this.#member(name));
    const hasAll = async (): Promise<boolean> => {
      const [first, ...others] = await Promise.all(this.#members.map((member) => lastOf(member, stream)));
      return first !== undefined && others.every((last) => last === first);
    };
    await until(hasAll, `${name} has caught up`, READY_TIMEOUT_MS);
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
        const [port, monitorPort] = [await freePort(), await freePort()];
        const directory = join(this.#directory, name);
        await mkdir(directory);
        const confFile = join(directory, 'nats.conf');
        await writeFile(
          confFile,
          `server_name: "${name}"
listen: "127.0.0.1:${port}"
http: "127.0.0.1:${monitorPort}"
log_file: "${join(directory, 'log')}"
jetstream { store_dir: "${join(directory, 'store')}" }
cluster { name: "signalbox-test", listen: "127.0.0.1:${routePorts[index]}", routes: [ ${routes} ] }
`,
        );
        return { name, port, monitorPort, confFile, process: null };
      }),
    );
  }

  /** Until all members have found each other and a leader, and the leader knows enough of them to place three replicas. */
  async #untilWhole(): Promise<void> {
    const answers = async ({ port }: Member): Promise<boolean> => {
      const connection = await connect({ servers: `127.0.0.1:${port}`, timeout: ASK_MS }).catch(() => null);
      const answer = await connection?.request('$JS.API.INFO', '', { timeout: ASK_MS }).catch(() => null);
      await connection?.close();
      return answer !== null && answer !== undefined && !answer.json<{ error?: object }>().error;
    };
    await until(
      async () => (await Promise.all(this.#members.map(answers))).every((each) => each),
      'the cluster answers',
      READY_TIMEOUT_MS,
    );
    const connection = await connect(this.connectOptions);
    const manager = await jetstreamManager(connection, { checkAPI: false, timeout: ASK_MS });
    const isPlaced = (): Promise<boolean> =>
      manager.streams.add({ name: PROBE, subjects: [PROBE], num_replicas: SIZE }).then(
        () => true,
        () => false,
      );
    await until(isPlaced, 'the cluster places three replicas', READY_TIMEOUT_MS);
    await manager.streams.delete(PROBE);
    await connection.close();
  }
}

/** The last sequence that the member itself has stored; undefined while it does not answer. */
async function lastOf({ monitorPort }: Member, stream: string): Promise<number | undefined> {
  const answer = await fetch(`http://127.0.0.1:${monitorPort}/jsz?streams=true`).catch(() => null);
  const streams = answer && jszSchema.safeParse(await answer.json()).data?.account_details[0]?.stream_detail;
  return streams?.find(({ name }) => name === stream)?.state.last_seq;
}
