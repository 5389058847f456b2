import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { EVENT_STREAM } from '../../../src/contracts/messages/subjects.ts';
import { compareVersions } from '../../../src/daemon/embedded/program.ts';
import { createSignalbox } from '../../../src/index.ts';
import { readCredentials, startWorker } from '../../../src/worker/index.ts';
import { natsServerProgram } from '../../support/nats/nats.ts';
import { ROOT } from '../../support/process/build.ts';
import { runCli } from '../../support/process/cli.ts';
import { until } from '../../support/until.ts';

const CONF = join(ROOT, 'deploy', 'cluster', 'nats-server.conf');
const program = await natsServerProgram();
/** The setting that it does not know is an error to it. */
const isOld = compareVersions(program.version, '2.10.0') < 0;

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** Three servers with the configuration of deploy/cluster, on this machine. */
class Cluster implements AsyncDisposable {
  readonly directory: string;
  readonly urls: string[] = [];
  readonly servers: ChildProcess[] = [];

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async start(): Promise<Cluster> {
    const cluster = new Cluster(await mkdtemp(join(tmpdir(), 'signalbox-cluster-')));
    const { directory } = cluster;
    const conf = await readFile(CONF, 'utf8');
    await writeFile(
      join(directory, 'nats-server.conf'),
      isOld ? conf.replace(/^\s*sync_interval.*$/m, '') : conf,
    );
    await writeFile(join(directory, 'tls.conf'), '');
    const made = await runCli(['nats', 'users', '--out', directory, '--agent', 'far']);
    expect(made).toMatchObject({ code: 0 });
    const ports = await freePorts(6);
    const routes = Object.fromEntries(
      [1, 2, 3].map((number) => [`NATS_ROUTE_${number}`, `"nats://127.0.0.1:${ports[number + 2]}"`]),
    );
    for (const index of [0, 1, 2]) {
      const server = spawn(program.path, ['-c', join(directory, 'nats-server.conf')], {
        stdio: 'ignore',
        env: {
          ...routes,
          NATS_SERVER_NAME: `nats-${index + 1}`,
          NATS_LISTEN: `"127.0.0.1:${ports[index]}"`,
          NATS_CLUSTER: `"127.0.0.1:${ports[index + 3]}"`,
          NATS_STORE: `"${join(directory, `store-${index}`)}"`,
        },
      });
      cluster.servers.push(server);
      cluster.urls.push(`nats://127.0.0.1:${ports[index]}`);
    }
    await until(() => cluster.isReady(), 'the cluster has a leader', 60_000);
    return cluster;
  }

  seedOf(user: string): string {
    return join(this.directory, `${user}.nk`);
  }

  async connect() {
    const authenticator = await readCredentials(this.seedOf('signalbox'));
    return connect({ servers: this.urls, authenticator, noAsyncTraces: true, timeout: 1_000 });
  }

  async isReady(): Promise<boolean> {
    try {
      const connection = await this.connect();
      const answer = await connection.request('$JS.API.STREAM.NAMES', '', { timeout: 1_000 });
      await connection.close();
      return !answer.string().includes('"error"');
    } catch {
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.servers) {
      if (server.exitCode !== null || server.signalCode !== null) continue;
      server.kill('SIGKILL');
      await once(server, 'exit');
    }
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

describe('a cluster of three NATS servers', () => {
  it('stores everything on all of them, as configured, and continues when one is killed', {
    timeout: 240_000,
  }, async () => {
    await using cluster = await Cluster.start();
    const config = {
      data_dir: join(cluster.directory, 'data'),
      nats: { url: cluster.urls.join(','), replicas: 3, credentials: cluster.seedOf('signalbox') },
      agents: { far: { driver: 'remote', concurrency: 2, heartbeat_seconds: 0.5, offline_after_seconds: 5 } },
      defaults: { review: 'auto' },
    } as const;
    const box = await createSignalbox({ config });
    const worker = await startWorker({
      agent: 'far',
      servers: cluster.urls,
      authenticator: await readCredentials(cluster.seedOf('far')),
      default: ({ job }) => `did ${job.title}`,
    });
    await box.createTask({ project: 'demo', id: 'before', title: 'before', agent: 'far' });
    expect((await box.settledTask({ project: 'demo', task: 'before' })).status).toBe('done');

    const connection = await cluster.connect();
    const manager = await jetstream(connection).jetstreamManager();
    const replicas: Record<string, number> = {};
    for await (const { config } of manager.streams.list()) replicas[config.name] = config.num_replicas;
    expect(replicas).toEqual({
      SIGNALBOX_EVENTS: 3,
      SIGNALBOX_AGENT_MESSAGES: 3,
      SIGNALBOX_WORK: 3,
      SIGNALBOX_REJECTED: 3,
      OBJ_SIGNALBOX_FILES_far: 3,
      KV_SIGNALBOX_LEASE: 3,
    });

    const { cluster: place } = await manager.streams.info(EVENT_STREAM);
    const leader = Number(place?.leader?.split('-')[1]) - 1;
    cluster.servers[leader]?.kill('SIGKILL');
    await until(async () => (await box.readHealth()).ready, 'the log has a new leader', 60_000);
    const again = async (): Promise<boolean> =>
      box.createTask({ project: 'demo', id: 'after', title: 'after', agent: 'far' }).then(
        () => true,
        () => false,
      );
    await until(again, 'a task is taken', 60_000);
    expect((await box.settledTask({ project: 'demo', task: 'after' })).status).toBe('done');
    await worker.stop();
    await connection.close();
    await box.stop();
  });
});
