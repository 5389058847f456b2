import { connect } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { type FollowedEvent, followEvents } from '../../../src/client/follow-events.ts';
import { OBSERVER, REMOTE, RemoteWorld } from '../../support/nats/remote.ts';
import { TcpProxy } from '../../support/nats/tcp-proxy.ts';
import { connectOptionsOf } from '../../support/nats/users.ts';
import { until } from '../../support/until.ts';

describe('a follower of the event log', () => {
  it('that starts late reads from sequence 1, and gets each event once and in order across a restart of the server', {
    timeout: 60_000,
  }, async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    const { box, nats } = world;
    let count = 0;
    const create = async (): Promise<void> => {
      await box.createTask({
        project: 'demo',
        id: `t${count++}`,
        title: 'a task',
        agent: 'far',
        delay_seconds: 3_600,
      });
    };
    const createMany = (count: number): Promise<unknown> =>
      Promise.all(Array.from({ length: count }, create));
    await createMany(600);

    await using proxy = await TcpProxy.to(nats.url);
    const connection = await connect({
      ...connectOptionsOf(OBSERVER, proxy.url),
      maxReconnectAttempts: -1,
      reconnectTimeWait: 20,
      timeout: 1_000,
    });
    const stop = new AbortController();
    const seen: FollowedEvent[] = [];
    const following = (async () => {
      for await (const event of followEvents({ connection, signal: stop.signal, pollMs: 200 }))
        seen.push(event);
    })();
    await until(() => seen.length > 300, 'it catches up');
    await createMany(50);
    await nats.kill9();
    await nats.restart();
    await until(async () => (await box.readHealth()).ready, 'Signalbox writes again');
    await createMany(50);
    // What is said while its own connection is broken comes after all.
    proxy.refusing = true;
    proxy.cut();
    await createMany(50);
    proxy.refusing = false;
    await until(async () => seen.length === (await box.readHealth()).log.sequence, 'it has seen all', 30_000);
    await createMany(50);
    await until(async () => seen.length === (await box.readHealth()).log.sequence, 'it follows', 30_000);
    stop.abort();
    await following;
    await connection.close();

    expect(seen.map(({ sequence }) => sequence)).toEqual(seen.map((_, index) => index + 1));
    const created = seen.filter(({ subject }) => /\.task\.t\d+\.created$/.test(subject));
    expect(created).toHaveLength(count);
    expect(created.map(({ text }) => JSON.parse(text).subject)).toEqual(
      created.map((_, index) => `t${index}`),
    );
  });

  it('starts at the requested event, and reports a refused request', async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    const connection = await world.connectAs(OBSERVER);
    const stop = new AbortController();
    for await (const { sequence } of followEvents({ connection, from: 2, signal: stop.signal })) {
      expect(sequence).toBe(2);
      break;
    }
    await connection.close();
    const reading = followEvents({ connection });
    await expect(reading.next()).rejects.toMatchObject({ code: 'nats_unavailable' });
  });
});
