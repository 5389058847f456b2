import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { agentSubject, WORK_STREAM } from '../../../src/contracts/messages/subjects.ts';
import { REMOTE, RemoteWorld } from '../../support/nats/remote.ts';
import { until } from '../../support/until.ts';

describe.concurrent('a worker of a remote agent', () => {
  it('runs each job with the handler of its action, and its outputs are on the board', async () => {
    await using world = await RemoteWorld.start({ agents: { far: { ...REMOTE, concurrency: 2 } } });
    await world.worker({
      agent: 'far',
      concurrency: 2,
      actions: {
        shout: async ({ params, progress, comment, output }) => {
          await progress('clearing the throat');
          await comment('loud or quiet?');
          await output({ title: 'shouted', content: String(params.text).toUpperCase() });
          return undefined;
        },
      },
      default: ({ job }) => `did ${job.title}`,
    });
    const { box } = world;
    await box.createTask({
      project: 'demo',
      id: 'a',
      title: 'say it',
      agent: 'far',
      action: 'shout',
      params: { text: 'hello' },
    });
    await box.createTask({ project: 'demo', id: 'b', title: 'sweep', agent: 'far' });
    const [a, b] = await Promise.all([
      box.settledTask({ project: 'demo', task: 'a' }, ['all']),
      box.settledTask({ project: 'demo', task: 'b' }, ['all']),
    ]);
    expect(a.status).toBe('done');
    expect(a.outputs?.map(({ title, content }) => [title, content])).toEqual([['shouted', 'HELLO']]);
    expect(a.comments?.map(({ author, body }) => [author, body])).toEqual([['far', 'loud or quiet?']]);
    expect(b.outputs?.map(({ content }) => content)).toEqual(['did sweep']);
    expect((await box.listAttempts({ project: 'demo', task: 'a' })).attempts).toMatchObject([
      { outcome: 'completed', driver: 'remote', agent: 'far' },
    ]);
  });

  it('gets no job before it is connected, and the agent is offline until then', async () => {
    await using world = await RemoteWorld.start({ agents: { far: PATIENT } });
    const { box } = world;
    await box.createTask({ project: 'demo', id: 'a', title: 'wait', agent: 'far' });
    await until(
      async () => (await box.readTask({ project: 'demo', task: 'a' })).status === 'pending',
      'it waits',
    );
    expect(await state(world)).toBe('offline');
    await world.worker({ agent: 'far', default: () => 'done' });
    expect((await box.settledTask({ project: 'demo', task: 'a' })).status).toBe('done');
    expect((await box.listAttempts({ project: 'demo', task: 'a' })).attempts).toHaveLength(1);
  });

  it('sends an output that is larger than a message as a file', async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    const large = 'x'.repeat(3_000_000);
    await world.worker({ agent: 'far', default: () => large });
    const { box } = world;
    await box.createTask({ project: 'demo', id: 'a', title: 'large', agent: 'far' });
    const { outputs } = await box.settledTask({ project: 'demo', task: 'a' }, ['outputs']);
    expect(outputs?.map(({ content, content_file }) => [content, content_file?.size])).toEqual([
      [null, large.length],
    ]);
  });

  it('ends a cancelled run, and reports it', async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    let aborted = '';
    await world.worker({
      agent: 'far',
      default: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted = String(signal.reason);
            reject(new Error('stopped'));
          });
        }),
    });
    const { box } = world;
    await box.createTask({ project: 'demo', id: 'a', title: 'long', agent: 'far' });
    await until(
      async () => (await box.readTask({ project: 'demo', task: 'a' })).status === 'working',
      'it works',
    );
    await box.cancelTask({ project: 'demo', task: 'a' });
    await until(
      async () => (await box.listAttempts({ project: 'demo', task: 'a' })).attempts[0]?.outcome != null,
      'the attempt ends',
    );
    expect(aborted).toBe('cancelled');
    expect((await box.listAttempts({ project: 'demo', task: 'a' })).attempts).toMatchObject([
      { outcome: 'cancelled', evidence: { workerStatus: 'cancelled' } },
    ]);
  });

  it('removes the job of a cancelled task from the queue if no worker took it', async () => {
    await using world = await RemoteWorld.start({ agents: { far: PATIENT } });
    const { box } = world;
    const connection = await world.connect();
    await announce(connection);
    await until(async () => (await state(world)) === 'idle', 'it is there');
    await box.createTask({ project: 'demo', id: 'a', title: 'a', agent: 'far' });
    const manager = await jetstream(connection).jetstreamManager();
    const queued = async (): Promise<number> => (await manager.streams.info(WORK_STREAM)).state.messages;
    await until(async () => (await queued()) === 1, 'the job is in the queue');
    await box.cancelTask({ project: 'demo', task: 'a' });
    await until(
      async () => (await box.listAttempts({ project: 'demo', task: 'a' })).attempts[0]?.outcome != null,
      'the attempt ends',
    );
    expect((await box.listAttempts({ project: 'demo', task: 'a' })).attempts).toMatchObject([
      { outcome: 'cancelled', started_at: null },
    ]);
    await until(async () => (await queued()) === 0, 'the job is gone');
  });

  it('gets no job of a paused queue until that is resumed', async () => {
    await using world = await RemoteWorld.start({
      agents: { far: { ...PATIENT, capabilities: ['build'], concurrency: 2 } },
    });
    const { box } = world;
    const connection = await world.connect();
    await announce(connection);
    await until(async () => (await state(world)) === 'idle', 'it is there');
    const manager = await jetstream(connection).jetstreamManager();
    const queued = async (): Promise<number> => (await manager.streams.info(WORK_STREAM)).state.messages;
    await world.command('_system.pauseQueue', { kind: 'type', name: 'build' });
    await box.createTask({ project: 'demo', id: 'held', title: 'held', type: 'build' });
    await box.createTask({ project: 'demo', id: 'own', title: 'own', agent: 'far' });
    await until(async () => (await queued()) === 1, 'the job of the other queue is there');
    expect(await world.why('held')).toMatchObject({ waits_for: [{ kind: 'queue_paused' }] });
    expect((await box.listAttempts({ project: 'demo', task: 'held' })).attempts).toEqual([]);
    await world.command('_system.resumeQueue', { kind: 'type', name: 'build' });
    await until(async () => (await queued()) === 2, 'the job of the queue that goes on is there, too');
  });

  it('that starts no job in time loses it: the job goes back to its queue and uses up no attempt', async () => {
    await using world = await RemoteWorld.start({ agents: { far: { ...PATIENT, queue_seconds: 0.1 } } });
    await announce(await world.connect());
    await until(async () => (await state(world)) === 'idle', 'it is there');
    await world.box.createTask({ project: 'demo', id: 'a', title: 'a', agent: 'far', max_attempts: 1 });
    const attempts = async () => (await world.box.listAttempts({ project: 'demo', task: 'a' })).attempts;
    await until(async () => (await attempts()).length > 2, 'it was given back twice');
    const error = 'no worker has begun it within 0.1 s';
    expect((await attempts())[1]).toMatchObject({ outcome: 'not_begun', error, started_at: null });
    await world.worker({ agent: 'far', default: () => 'done' });
    expect((await world.box.settledTask({ project: 'demo', task: 'a' })).status).toBe('done');
  });

  it('is not given a job again that it returned too often without starting it', async () => {
    await using world = await RemoteWorld.start({ agents: { far: PATIENT } });
    const connection = await world.connect();
    await announce(connection);
    await until(async () => (await state(world)) === 'idle', 'it is there');
    await world.box.createTask({ project: 'demo', id: 'a', title: 'a', agent: 'far', max_attempts: 1 });
    const consumer = await jetstream(connection).consumers.get(WORK_STREAM, 'far');
    for (let delivery = 1; delivery <= 10; delivery++) {
      const message = await consumer.next({ expires: 5_000 });
      expect(message?.info.deliveryCount).toBe(delivery);
      message?.nak();
    }
    // The server says so when it would be the next one's turn.
    await consumer.next({ expires: 1_000 });
    expect((await world.box.settledTask({ project: 'demo', task: 'a' })).status).toBe('failed');
    expect((await world.box.listAttempts({ project: 'demo', task: 'a' })).attempts[0]?.error).toContain(
      'none started it',
    );
  });
});

const PATIENT = { ...REMOTE, offline_after_seconds: 600 };

/** A worker says that it is there, and nothing more. */
async function announce(connection: NatsConnection): Promise<void> {
  const message = { type: 'announce', agent: 'far' };
  await jetstream(connection).publish(agentSubject('far', 'announce'), JSON.stringify(message));
}

async function state(world: RemoteWorld): Promise<string> {
  return (await world.command<{ state: string }>('_system.readAgent', { agent: 'far' })).state;
}
