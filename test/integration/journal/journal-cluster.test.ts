/** The JetStream journal on three servers that each store every message; the leader is killed. */
import { describe, expect, it } from 'vitest';
import { EVENT_STREAM } from '../../../src/contracts/messages/subjects.ts';
import { compareVersions } from '../../../src/daemon/embedded/program.ts';
import { JetStreamLog } from '../../support/nats/jetstream-log.ts';
import { natsCluster } from '../../support/nats/nats-cluster.ts';

/**
 * Leaders that are killed one after the other. Before 2.12, a server that comes back from `kill -9` may stay behind the
 * others until it is started once more (docs/explanation/guarantees.md), and while one of three is behind, no other may fail.
 */
const roundsOn = (version: string): number => (compareVersions(version, '2.12.0') >= 0 ? 2 : 1);
/** Milliseconds within which the other two must accept events again. */
const ELECTION_MS = 60_000;

describe('a log with three replicas', () => {
  it('journal/nothing-lost: loses nothing when the leader of its stream is killed under load, and continues with the two that are left', {
    timeout: 240_000,
  }, async () => {
    await using cluster = await natsCluster();
    await using log = await JetStreamLog.fresh(cluster);
    const writer = await log.open({ replicas: 3 });
    const { config } = await (await log.manager()).streams.info(EVENT_STREAM);
    expect(config.num_replicas).toBe(3);
    await writer.takeOver('epoch');
    const rounds = roundsOn(cluster.version);
    for (let round = 1; round <= rounds; round++) {
      writer.append('e', 3_000);
      const enough = writer.reports.length + 300;
      await writer.when(() => writer.reports.length >= enough);
      const leader = await cluster.leaderOf(EVENT_STREAM);
      const acknowledged = [...writer.reports];
      await cluster.kill(leader);
      writer.append('e', 500);
      // Writing continues with two of the three.
      await expect.poll(() => writer.reports.length, { timeout: ELECTION_MS }).toBe(round * 3_500);
      expect(writer.reports.slice(0, acknowledged.length)).toEqual(acknowledged);
      expect(await cluster.leaderOf(EVENT_STREAM)).not.toBe(leader);
      if (round < rounds) await cluster.restart(leader, EVENT_STREAM);
    }
    await log.expectWhole(writer);
  });
});
