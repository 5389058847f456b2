/** The JetStream journal against a real server that is killed or frozen, and against another writer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordingJournal } from '../../support/history/recording-journal.ts';
import { JetStreamLog } from '../../support/nats/jetstream-log.ts';
import { natsServer, type TestNatsServer } from '../../support/nats/nats.ts';

/** For a test with lost answers. */
const IMPATIENT = { acknowledgementTimeoutMs: 300 };

let server: TestNatsServer;
beforeAll(async () => {
  server = await natsServer();
});
afterAll(() => server.stop());

describe('a server that is killed', () => {
  it('journal/nothing-lost: loses nothing by five kill -9 under load, 20,000 entries', async () => {
    await using log = await JetStreamLog.fresh(server);
    const writer = await log.open();
    await writer.takeOver('epoch');
    for (let round = 1; round <= 5; round++) {
      writer.append('e', 3_500);
      const enough = writer.reports.length + 500 + 600 * round;
      await writer.when(() => writer.reports.length >= enough);
      const acknowledged = [...writer.reports];
      await server.kill9();
      await writer.state('resyncing');
      writer.append('e', 500);
      await server.restart();
      await writer.state('open');
      expect(writer.reports.slice(0, acknowledged.length)).toEqual(acknowledged);
    }
    await writer.allReported();
    await log.expectWhole(writer);
  });

  it('journal/nothing-lost: continues after a kill -9 with nothing in flight, and after an orderly restart', async () => {
    await using log = await JetStreamLog.fresh(server);
    const writer = await log.open();
    await writer.takeOver('epoch');
    for (const end of [() => server.kill9(), () => Promise.resolve()]) {
      writer.append('e', 10);
      await writer.allReported();
      await end();
      await server.restart();
    }
    writer.append('e', 10);
    await writer.allReported();
    await log.expectWhole(writer);
  });
});

describe('a server that is frozen for longer than the acknowledgement timeout', () => {
  it('journal/nothing-lost: continues when the server is resumed, with nothing lost and nothing twice', async () => {
    await using log = await JetStreamLog.fresh(server);
    const writer = await log.open(IMPATIENT);
    await writer.takeOver('epoch');
    writer.append('e', 500);
    await writer.when(() => writer.reports.length > 50);
    const { pid } = server;
    if (pid === undefined) throw new Error('the server is down');
    process.kill(pid, 'SIGSTOP');
    try {
      writer.append('e', 1_000);
      const { reason } = await writer.state('resyncing');
      expect(reason).toBe('no acknowledgement in time');
      // A look-up gets no answer either.
      await writer.when(() => writer.states.some((state) => 'reason' in state && state.reason === 'timeout'));
      writer.append('e', 100);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await writer.allReported();
    await log.expectWhole(writer);
  });
});

describe('two writers that fight for one log', () => {
  it('journal/one-writer: each term is a prefix of what its writer appended, and ends with the next epoch', async () => {
    await using log = await JetStreamLog.fresh(server);
    const terms: RecordingJournal[] = [];
    const contend = async (name: string): Promise<void> => {
      for (let term = 0; term < 6; term++) {
        const writer = await log.open();
        await writer.takeOver(`epoch-${name}${term}`);
        terms.push(writer);
        const isOver = (): boolean =>
          writer.journal.state.kind === 'fenced' || writer.reports.length >= 1_000;
        while (!isOver()) {
          writer.append(`${name}${term}-`, 200);
          await writer.when(() => isOver() || writer.journal.backlog === 0);
        }
        // It does not know that its term is over: what it still sends must not be stored once the next term has begun.
        writer.append(`${name}${term}-`, 200);
      }
    };
    await Promise.all([contend('a'), contend('b')]);
    await log.untilStill();

    const stored = (await log.messages()).map(({ id }) => id);
    const byTerm = new Map<string, string[]>();
    for (let from = 0; from < stored.length; ) {
      const next = stored.findIndex((id, index) => index > from && id.startsWith('epoch-'));
      const to = next < 0 ? stored.length : next;
      byTerm.set(stored[from]?.slice('epoch-'.length) ?? '', stored.slice(from + 1, to));
      from = to;
    }
    expect(byTerm.size).toBe(12);
    for (const writer of terms) {
      const ids = byTerm.get(writer.appended[0]?.split('-')[0] ?? '') ?? [];
      expect(ids).toEqual(writer.appended.slice(0, ids.length));
      expect(writer.reportedIds).toEqual(ids.slice(0, writer.reports.length));
    }
  });
});
