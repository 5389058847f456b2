import { describe, expect, it } from 'vitest';
import type { Signalbox } from '../../../src/index.ts';
import { REMOTE, RemoteWorld } from '../../support/nats/remote.ts';
import { TcpProxy } from '../../support/nats/tcp-proxy.ts';
import { until } from '../../support/until.ts';

/** How long the connection is broken. 30 s is what the limits of an installation are made for; less shows the same. */
const BREAK_MS = Number(process.env.SIGNALBOX_TEST_BREAK_MS ?? 2_000);

/** Each task is done, with one result. */
async function expectAllDoneOnce(box: Signalbox, ids: readonly string[]): Promise<void> {
  for (const task of await Promise.all(
    ids.map((id) => box.settledTask({ project: 'demo', task: id }, ['outputs'])),
  )) {
    expect(task.status).toBe('done');
    expect(task.outputs?.map(({ content }) => content?.split(' ')[0])).toEqual([task.id]);
    const completed = (await box.listAttempts({ project: 'demo', task: task.id })).attempts.filter(
      ({ outcome }) => outcome === 'completed',
    );
    expect(completed).toHaveLength(1);
  }
}

describe.concurrent('remote agents: what is lost and what is not', () => {
  it('a worker is killed while it runs 20 tasks: the agent goes offline, and another worker finishes each of them once', {
    timeout: 60_000,
  }, async () => {
    await using world = await RemoteWorld.start({ agents: { far: { ...REMOTE, concurrency: 20 } } });
    const { box } = world;
    const first = await world.workerProcess({ agent: 'far', concurrency: 20, ms: 3_600_000 });
    const ids = Array.from({ length: 20 }, (_, index) => `t${index}`);
    for (const id of ids) await box.createTask({ project: 'demo', id, title: id, agent: 'far' });
    await until(async () => (await world.begun()).length === 20, 'all are begun');
    await first.kill('SIGKILL');
    const outcomes = async (): Promise<unknown[]> =>
      Promise.all(
        ids.map(async (id) => (await box.listAttempts({ project: 'demo', task: id })).attempts[0]?.outcome),
      );
    await until(async () => (await outcomes()).every((outcome) => outcome === 'lost'), 'all are lost');
    await until(async () => JSON.stringify(await world.why('t0')).includes('"pending"'), 'its retry is due');
    const why = await world.why('t0');
    expect(why).toMatchObject({ status: 'pending', waits_for: [{ kind: 'agent_offline', agent: 'far' }] });
    expect(JSON.stringify(why)).toContain('has sent no heartbeat for 1 s');

    await world.workerProcess({ agent: 'far', concurrency: 20, ms: 10 });
    await expectAllDoneOnce(box, ids);
    const begun = await world.begun();
    expect(new Set(begun).size).toBe(begun.length);
    for (const id of ids)
      expect(
        (await box.listAttempts({ project: 'demo', task: id })).attempts.map(({ outcome }) => outcome),
      ).toEqual(['lost', 'completed']);
  });

  it('a worker whose connection breaks for a while loses no result and sends none twice', {
    timeout: 60_000 + BREAK_MS,
  }, async () => {
    const patient = { ...REMOTE, concurrency: 5, offline_after_seconds: BREAK_MS / 500 };
    await using world = await RemoteWorld.start({ agents: { far: patient } });
    const { box } = world;
    await using proxy = await TcpProxy.to(world.nats.url);
    await world.workerProcess({ agent: 'far', concurrency: 5, ms: BREAK_MS / 4, servers: proxy.url });
    const ids = Array.from({ length: 10 }, (_, index) => `t${index}`);
    for (const id of ids) await box.createTask({ project: 'demo', id, title: id, agent: 'far' });
    await until(async () => (await world.begun()).length === 5, 'the first are begun');
    proxy.refusing = true;
    proxy.cut();
    await new Promise((resolve) => setTimeout(resolve, BREAK_MS));
    proxy.refusing = false;
    await expectAllDoneOnce(box, ids);
    // It was away for less than it may be silent: nothing had to be done again.
    for (const id of ids)
      expect((await box.listAttempts({ project: 'demo', task: id })).attempts).toHaveLength(1);
    expect(new Set(await world.begun()).size).toBe(10);
  });

  it('a worker that returns after it counted as gone must stop, and its late result changes nothing', {
    timeout: 60_000,
  }, async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    const { box } = world;
    await using proxy = await TcpProxy.to(world.nats.url);
    let abort = '';
    let finish: (() => void) | null = null;
    await world.worker({
      agent: 'far',
      servers: proxy.url,
      default: ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            abort = String(signal.reason);
            resolve('too late');
          });
          finish = () => resolve('too late');
        }),
    });
    await box.createTask({ project: 'demo', id: 'a', title: 'a', agent: 'far' });
    await until(() => finish !== null, 'it works');
    proxy.refusing = true;
    proxy.cut();
    await until(
      async () => (await box.listAttempts({ project: 'demo', task: 'a' })).attempts[0]?.outcome === 'lost',
      'it counts as gone',
    );
    await world.worker({ agent: 'far', default: () => 'in time' });
    expect((await box.settledTask({ project: 'demo', task: 'a' })).status).toBe('done');
    proxy.refusing = false;
    await until(() => abort !== '', 'it is told');
    expect(abort).toBe('cancelled');
    (finish as (() => void) | null)?.();
    await until(async () => (await world.rejected('far')).length > 0, 'its result is refused');
    expect(await world.rejected('far')).toMatchObject([{ kind: 'result', code: 'stale_attempt' }]);
    expect(
      (await box.readTask({ project: 'demo', task: 'a', expand: 'outputs' })).outputs?.map(
        ({ content }) => content,
      ),
    ).toEqual(['in time']);
  });

  it('continues after a restart of Signalbox, and does nothing twice', {
    timeout: 60_000,
  }, async () => {
    await using world = await RemoteWorld.start({ agents: { far: { ...REMOTE, concurrency: 4 } } });
    await world.workerProcess({ agent: 'far', concurrency: 4, ms: 300 });
    const ids = Array.from({ length: 24 }, (_, index) => `t${index}`);
    for (const id of ids) await world.box.createTask({ project: 'demo', id, title: id, agent: 'far' });
    for (let restart = 0; restart < 3; restart++) {
      const count = (await world.begun()).length;
      // On a slow machine all may be begun before the last restart.
      await until(async () => {
        const { length } = await world.begun();
        return length > count || length === ids.length;
      }, 'some more are begun');
      await world.down();
      await world.up();
    }
    await expectAllDoneOnce(world.box, ids);
    const begun = await world.begun();
    expect(new Set(begun).size).toBe(begun.length);
    for (const id of ids)
      expect((await world.box.listAttempts({ project: 'demo', task: id })).attempts).toHaveLength(1);
  });

  it('continues when the NATS server is killed and restarted, and does nothing twice', {
    timeout: 60_000,
  }, async () => {
    await using world = await RemoteWorld.start({
      agents: { far: { ...REMOTE, concurrency: 4, offline_after_seconds: 10 } },
    });
    const { box } = world;
    await world.workerProcess({ agent: 'far', concurrency: 4, ms: 200 });
    const ids = Array.from({ length: 12 }, (_, index) => `t${index}`);
    for (const id of ids) await box.createTask({ project: 'demo', id, title: id, agent: 'far' });
    await until(async () => (await world.begun()).length > 4, 'some are begun, and some done');
    await world.nats.kill9();
    await world.nats.restart();
    await expectAllDoneOnce(box, ids);
    const begun = await world.begun();
    expect(new Set(begun).size).toBe(begun.length);
  });
});
