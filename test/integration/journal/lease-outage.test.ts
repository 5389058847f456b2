/** The writer's lease while the server does not answer. An unhandled rejection fails the test run. */
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterEach, expect, it } from 'vitest';
import { livenessOf, ownHolder } from '../../../src/daemon/lock-holder.ts';
import {
  deleteLease,
  Lease,
  type LeaseHolder,
  type LeaseOptions,
  readLease,
} from '../../../src/journal/lease.ts';
import { createHost } from '../../../src/process/host/host.ts';
import { silentLogger } from '../../support/engine.ts';
import { natsServer, type TestNatsServer } from '../../support/nats/nats.ts';
import { until } from '../../support/until.ts';

/** Milliseconds: requests time out several times meanwhile, and the lease expires. */
const FROZEN_MS = 2_500;

const connections: NatsConnection[] = [];
const lost: (string | undefined)[] = [];
afterEach(async () => {
  await Promise.all(connections.map((connection) => connection.close()));
  connections.length = 0;
  lost.length = 0;
});

async function optionsOf(nats: TestNatsServer, writer: string): Promise<LeaseOptions> {
  const connection = await connect({ ...nats.connectOptions, maxReconnectAttempts: -1 });
  connections.push(connection);
  return {
    connection,
    holder: holder(writer),
    livenessOf: () => 'alive',
    logger: silentLogger,
    onLost: (other) => void lost.push(other?.writer),
    ttlMs: 1_000,
  };
}

/** Returns when the lease was renewed several times. */
async function untilRenewed(connection: NatsConnection): Promise<string | undefined> {
  const seen = new Set<number>();
  let writer: string | undefined;
  await until(async () => {
    const lease = await readLease(connection);
    if (lease) seen.add(lease.revision);
    writer = lease?.holder?.writer;
    return seen.size >= 3;
  }, 'the lease is renewed');
  return writer;
}

function holder(writer: string): LeaseHolder {
  return { writer, host: 'test', pid: 1, startTime: '1', bootId: 'b', since: '2026-01-01T00:00:00.000Z' };
}

it('survives a server that is frozen until requests time out, for its holder and for a standby', {
  timeout: 40_000,
}, async () => {
  await using nats = await natsServer();
  const options = await optionsOf(nats, 'first');
  const first = await Lease.acquire(options);
  const waiting = await optionsOf(nats, 'second');
  const { pid = 0 } = nats;
  process.kill(pid, 'SIGSTOP');
  const end = new AbortController();
  const second = Lease.await(waiting, end.signal);
  await new Promise((resolve) => setTimeout(resolve, FROZEN_MS));
  process.kill(pid, 'SIGCONT');

  // The quicker of the two has it, and renews it.
  await untilRenewed(options.connection);
  end.abort();
  const taken = await second;
  expect(lost).toEqual(taken ? ['second'] : []);
  await first.release();
  await taken?.release();
});

it('is regained by its holder if a standby took it and released it', async () => {
  await using nats = await natsServer();
  const options = await optionsOf(nats, 'first');
  const first = await Lease.acquire(options);
  const { revision = 0 } = (await readLease(options.connection)) ?? {};
  // Like a standby that could not take over the log, between two renewals of the holder.
  await deleteLease(options.connection, revision).catch(async () => {
    const now = await readLease(options.connection);
    await deleteLease(options.connection, now?.revision ?? 0);
  });
  expect(await untilRenewed(options.connection)).toBe('first');
  expect(lost).toEqual([]);
  await first.release();
});

it('is released while a renewal is in flight', async () => {
  await using nats = await natsServer();
  const options = await optionsOf(nats, 'first');
  const lease = await Lease.acquire(options);
  const { pid = 0 } = nats;
  process.kill(pid, 'SIGSTOP');
  // A renewal is sent every 100 ms, and times out after 500 ms.
  await new Promise((resolve) => setTimeout(resolve, 250));
  const released = lease.release();
  process.kill(pid, 'SIGCONT');
  await released;
  expect(await readLease(options.connection)).toBeNull();
});

it('that a stopped Signalbox of the same process has left expires, and one that is held is not waited for', async () => {
  await using nats = await natsServer();
  const host = createHost(silentLogger, Date.now);
  const ofThisProcess = async (writer: string): Promise<LeaseOptions> => ({
    ...(await optionsOf(nats, writer)),
    holder: ownHolder(host, writer, Date.now()),
    livenessOf: (other) => livenessOf(host, other),
    ttlMs: 2_000,
  });
  const stopped = await ofThisProcess('stopped');
  const left = await Lease.acquire(stopped);
  const next = await ofThisProcess('next');
  const began = Date.now();
  await expect(Lease.acquire(next)).rejects.toMatchObject({ code: 'log_in_use' });
  expect(Date.now() - began).toBeLessThan(500);

  await stopped.connection.close();
  await left.release();
  await (await Lease.acquire(next)).release();
});
