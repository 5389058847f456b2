/** The writer's lease while the server does not answer. A rejection that nobody handles fails the test run. */
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { expect, it } from 'vitest';
import { Lease, type LeaseHolder, type LeaseOptions, readLease } from '../../src/journal/lease.ts';
import { silentLogger } from '../support/engine.ts';
import { natsServer } from '../support/nats.ts';
import { until } from '../support/until.ts';

/** Milliseconds: the client gives a request up after five seconds. */
const FROZEN_MS = 6_000;

function holder(writer: string): LeaseHolder {
  return { writer, host: 'test', pid: 1, startTime: '1', bootId: 'b', since: '2026-01-01T00:00:00.000Z' };
}

it('outlives a server that is frozen until requests are given up: for its holder, and for who begins to wait', {
  timeout: 40_000,
}, async () => {
  await using nats = await natsServer();
  const connections: NatsConnection[] = [];
  const lost: (string | undefined)[] = [];
  const options = async (writer: string): Promise<LeaseOptions> => {
    const connection = await connect({ ...nats.connectOptions, maxReconnectAttempts: -1 });
    connections.push(connection);
    const onLost = (other: LeaseHolder | null): void => void lost.push(other?.writer);
    return {
      connection,
      holder: holder(writer),
      fateOf: () => 'alive',
      logger: silentLogger,
      onLost,
      ttlMs: 1_000,
    };
  };
  const first = await Lease.acquire(await options('first'));
  const waiting = await options('second');
  const { pid = 0 } = nats;
  process.kill(pid, 'SIGSTOP');
  const end = new AbortController();
  const second = Lease.await(waiting, end.signal);
  await new Promise((resolve) => setTimeout(resolve, FROZEN_MS));
  process.kill(pid, 'SIGCONT');

  // Whoever of the two was quicker has it, and renews it.
  const aside = connections[0] as NatsConnection;
  const seen = new Set<number>();
  await until(async () => {
    const lease = await readLease(aside);
    if (lease) seen.add(lease.revision);
    return seen.size >= 3;
  }, 'the lease is renewed again');
  end.abort();
  const taken = await second;
  expect(lost).toEqual(taken ? ['second'] : []);
  await first.release();
  await taken?.release();
  await Promise.all(connections.map((connection) => connection.close()));
});
