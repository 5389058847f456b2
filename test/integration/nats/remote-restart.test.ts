import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, usernamePasswordAuthenticator } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { agentSubject } from '../../../src/contracts/messages/subjects.ts';
import { startWorker } from '../../../src/worker/index.ts';
import { natsServer, type TestNatsServer } from '../../support/nats/nats.ts';
import { REMOTE, RemoteWorld } from '../../support/nats/remote.ts';
import { startCli, TestUp, temporaryDirectory } from '../../support/process/cli.ts';
import { until } from '../../support/until.ts';

/** Workers may be silent for long, and jobs may wait for long: nothing here may depend on either. */
const FAR = { driver: 'remote', queue_seconds: 300, offline_after_seconds: 120 } as const;
const STOP_MS = 5_000;

function configOf(nats: TestNatsServer): string {
  const { user, pass } = nats.connectOptions as { user: string; pass: string };
  return JSON.stringify({
    defaults: { review: 'auto' },
    nats: { url: nats.url.replace('//', `//${user}:${encodeURIComponent(pass)}@`) },
    agents: { far: FAR, local: { driver: 'command', command: ['echo', 'here'] } },
  });
}

async function up(directory: string): Promise<TestUp> {
  const started = await startCli(['up', '--port', '0'], { cwd: directory });
  const [, url = ''] = await started.until(/is ready: (\S+)/);
  return new TestUp(started, directory, url);
}

/** Milliseconds that it takes. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

describe.concurrent('a remote agent without a worker', () => {
  it('delays neither a start nor a stop with a queued job, and a worker that comes takes that job', {
    timeout: 180_000,
  }, async () => {
    await using nats = await natsServer();
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'signalbox.config.yaml'), configOf(nats));
    const first = await up(directory);
    const connection = await connect(nats.connectOptions);
    // A worker that takes no job: the job is assigned and waits in the queue.
    const announce = JSON.stringify({ type: 'announce', agent: 'far', worker: { id: 'idler' } });
    connection.publish(agentSubject('far', 'announce'), announce);
    const stateOf = async ({ client }: TestUp, id: string): Promise<string> =>
      (await client.readTask({ project: 'default', task: id })).status;
    await first.client.createTask({ project: 'default', id: 'F', title: 'far', agent: 'far' });
    await until(async () => (await stateOf(first, 'F')) === 'claimed', 'the job waits for a worker');
    first.process.signal('SIGINT');
    expect(await timed(() => first.process.ended)).toBeLessThan(STOP_MS);

    await using second = await up(directory);
    const begun = performance.now();
    await second.client.createTask({ project: 'default', id: 'L', title: 'local', agent: 'local' });
    await second.settled('L');
    const [attempt] = (await second.client.listAttempts({ project: 'default', task: 'L' })).attempts;
    expect(Date.parse(attempt?.started_at ?? '') - Date.parse(attempt?.claimed_at ?? '')).toBeLessThan(1_000);
    expect(performance.now() - begun).toBeLessThan(STOP_MS);
    const { user, pass } = nats.connectOptions as { user: string; pass: string };
    const authenticator = usernamePasswordAuthenticator(user, pass);
    const worker = await startWorker({
      servers: nats.url,
      authenticator,
      agent: 'far',
      default: () => 'done',
    });
    expect((await second.settled('F')).status).toBe('done');
    expect((await second.client.listAttempts({ project: 'default', task: 'F' })).attempts).toHaveLength(1);
    await worker.stop();
    await connection.close();
    second.process.signal('SIGINT');
    expect(await timed(() => second.process.ended)).toBeLessThan(STOP_MS);
  });

  it('is offline from its registration, and its work stays queued and uses up no attempt', async () => {
    await using world = await RemoteWorld.start({ agents: { far: { ...REMOTE, queue_seconds: 0.2 } } });
    const { box } = world;
    expect((await box.listAgents({})).agents).toMatchObject([{ id: 'far', state: 'offline' }]);
    await box.createTask({ project: 'demo', id: 'a', title: 'a', agent: 'far', max_attempts: 1 });
    expect(await world.why('a')).toMatchObject({ status: 'pending', waits_for: [{ kind: 'agent_offline' }] });
    await world.down();
    await world.up();
    expect((await world.box.listAgents({})).agents).toMatchObject([{ id: 'far', state: 'offline' }]);
    expect((await world.box.listAttempts({ project: 'demo', task: 'a' })).attempts).toEqual([]);
    await world.worker({ agent: 'far', default: () => 'done' });
    expect((await world.box.settledTask({ project: 'demo', task: 'a' })).status).toBe('done');
  });

  it('gets work that its last worker has left unbegun again, and no attempt counts', async () => {
    await using world = await RemoteWorld.start({ agents: { far: { ...REMOTE, queue_seconds: 300 } } });
    const { box } = world;
    const connection = await world.connect();
    const announce = JSON.stringify({ type: 'announce', agent: 'far', worker: { id: 'idler' } });
    connection.publish(agentSubject('far', 'announce'), announce);
    await until(async () => (await box.listAgents({})).agents[0]?.state === 'idle', 'a worker is there');
    await box.createTask({ project: 'demo', id: 'a', title: 'a', agent: 'far', max_attempts: 1 });
    const attempts = async () => (await box.listAttempts({ project: 'demo', task: 'a' })).attempts;
    await until(async () => (await attempts())[0]?.outcome != null, 'the worker counts as gone');
    expect(await attempts()).toMatchObject([{ outcome: 'not_begun', started_at: null }]);
    await world.worker({ agent: 'far', default: () => 'done' });
    expect((await box.settledTask({ project: 'demo', task: 'a' })).status).toBe('done');
    expect((await attempts()).map(({ outcome }) => outcome)).toEqual(['not_begun', 'completed']);
  });
});
