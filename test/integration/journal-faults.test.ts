/** The JetStream journal against everything that can go wrong between it and a real server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JetStreamJournalOptions } from '../../src/journal/jetstream-journal.ts';
import { JetStreamLog } from '../support/jetstream-log.ts';
import { natsServer, type TestNatsServer } from '../support/nats.ts';
import type { RecordingJournal } from '../support/recording-journal.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** For tests in which answers do not come. */
const IMPATIENT = { acknowledgementTimeoutMs: 300 };

let server: TestNatsServer;
beforeAll(async () => {
  server = await natsServer();
});
afterAll(() => server.stop());

/** The log holds what was appended, each entry once, in order, and the reports said just that. */
async function expectWhole(log: JetStreamLog, writer: RecordingJournal): Promise<void> {
  const stored = await log.messages();
  expect(stored.map(({ id }) => id)).toEqual(['epoch', ...writer.appended]);
  expect(stored.map(({ sequence }) => sequence)).toEqual(stored.map((_, index) => index + 1));
  expect(writer.reports).toEqual(stored.slice(1).map(({ sequence, id }) => ({ sequence, id })));
  expect(writer.states.map(({ kind }) => kind)).not.toContain('fenced');
  expect(writer.journal.state.kind).toBe('open');
}

/** Resolves when the server has taken all that can reach it. */
async function untilStill(log: JetStreamLog): Promise<number> {
  const manager = await log.manager();
  let last = -1;
  await expect
    .poll(
      async () => {
        const before = last;
        last = (await manager.streams.info('SIGNALBOX_EVENTS')).state.last_seq;
        return last > 1 && last === before;
      },
      { interval: 50, timeout: 10_000 },
    )
    .toBe(true);
  return last;
}

describe('a server that is killed', () => {
  it('J1, J3: loses nothing by five kill -9 under load, 20,000 entries', async () => {
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
    await expectWhole(log, writer);
  });

  it('J3: goes on after a kill -9 in which nothing was in flight, and after an orderly restart', async () => {
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
    await expectWhole(log, writer);
  });
});

describe('a bad network', () => {
  /** A writer whose connection goes through a proxy. */
  async function behindProxy(
    log: JetStreamLog,
    proxy: TcpProxy,
    options: JetStreamJournalOptions = {},
  ): Promise<RecordingJournal> {
    const writer = await log.open(options, proxy.url);
    await writer.takeOver('epoch');
    return writer;
  }

  it('J3: stores a whole log though the connection is cut again and again in the middle of the pipeline', async () => {
    await using log = await JetStreamLog.fresh(server);
    await using proxy = await TcpProxy.to(server.url);
    const writer = await behindProxy(log, proxy);
    for (let round = 1; round <= 8; round++) {
      // The server gets a part of the burst, and ends within a message.
      proxy.hold('toServer', round * 11_003);
      writer.append('e', 800);
      await untilStill(log);
      proxy.cut();
      await writer.state('resyncing');
      await writer.state('open');
    }
    await writer.allReported();
    await expectWhole(log, writer);
  });

  it('J3: keeps what is appended while disconnected, and stores it once when it is back', async () => {
    await using log = await JetStreamLog.fresh(server);
    await using proxy = await TcpProxy.to(server.url);
    const writer = await behindProxy(log, proxy);
    writer.append('e', 500);
    proxy.refusing = true;
    proxy.cut();
    await writer.state('resyncing');
    writer.append('e', 3_000);
    expect(writer.journal.backlog).toBeGreaterThanOrEqual(3_000);
    expect(writer.journal.state).toEqual({ kind: 'resyncing', reason: 'disconnected' });
    proxy.refusing = false;
    await writer.allReported();
    await expectWhole(log, writer);
  });

  it('J3: finds what was stored while every acknowledgement was lost, and sends none of it twice', async () => {
    await using log = await JetStreamLog.fresh(server);
    await using proxy = await TcpProxy.to(server.url);
    const writer = await behindProxy(log, proxy, IMPATIENT);
    writer.append('e', 100);
    await writer.allReported();
    proxy.drop('toClient');
    writer.append('e', 1_000);
    const { reason } = await writer.state('resyncing');
    expect(reason).toBe('no acknowledgement in time');
    expect(await untilStill(log)).toBe(1_101);
    expect(writer.reports).toHaveLength(100);
    proxy.cut();
    await writer.allReported();
    writer.append('e', 100);
    await writer.allReported();
    await expectWhole(log, writer);
  });

  it('P4: ignores acknowledgements that come when their fate was looked up already', async () => {
    await using log = await JetStreamLog.fresh(server);
    await using proxy = await TcpProxy.to(server.url);
    const writer = await behindProxy(log, proxy, IMPATIENT);
    proxy.hold('toClient');
    writer.append('e', 1_000);
    await writer.state('resyncing');
    await untilStill(log);
    proxy.release('toClient');
    await writer.allReported();
    await expectWhole(log, writer);
    expect(writer.states.filter(({ kind }) => kind === 'resyncing')).toHaveLength(1);
  });

  it('P4: stores nothing twice when a dead connection delivers late, and ignores what it answers', async () => {
    await using log = await JetStreamLog.fresh(server);
    await using proxy = await TcpProxy.to(server.url);
    const writer = await behindProxy(log, proxy);
    writer.append('e', 10);
    await writer.allReported();
    proxy.hold('toServer', 20_001);
    writer.append('e', 1_000);
    await untilStill(log);
    proxy.strand();
    await writer.state('resyncing');
    await writer.allReported();
    const before = writer.states.length;
    proxy.deliverStranded();
    writer.append('e', 1_000);
    await writer.allReported();
    await untilStill(log);
    await expectWhole(log, writer);
    expect(writer.states.length).toBe(before);
  });

  it('J2: stores a prefix of the old writer, part of whose pipeline arrived before the take-over', async () => {
    await using log = await JetStreamLog.fresh(server);
    await using proxy = await TcpProxy.to(server.url);
    const old = await behindProxy(log, proxy);
    proxy.hold('toServer', 60_001);
    old.append('o', 1_000);
    const arrived = await untilStill(log);
    expect(arrived).toBeLessThan(1_000);
    const next = await log.open();
    const epoch = await next.takeOver('epoch-2');
    // One message of the new writer, in the place of the old one's first refused: the sequence alone would let in the rest.
    proxy.release('toServer');
    await old.state('fenced');
    next.append('n', 100);
    await next.allReported();

    const stored = (await log.messages()).map(({ id }) => id);
    expect(epoch).toBe(arrived + 1);
    expect(stored).toEqual(['epoch', ...old.appended.slice(0, arrived - 1), 'epoch-2', ...next.appended]);
    expect(old.reportedIds).toEqual(old.appended.slice(0, old.reports.length));
    expect(old.reports.length).toBeLessThan(arrived);
  });
});

describe('a server that is frozen for longer than the acknowledgement timeout', () => {
  it('J3: goes on when it thaws, with nothing lost and nothing twice', async () => {
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
      // A look-up, too, goes without an answer.
      await writer.when(() => writer.states.some((state) => 'reason' in state && state.reason === 'timeout'));
      writer.append('e', 100);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await writer.allReported();
    await expectWhole(log, writer);
  });
});

describe('two writers that fight for one log', () => {
  it('J2: each term is a prefix of what its writer appended, and ends with the next epoch', async () => {
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
        // It does not know that its term is over: what it still sends must not be stored once another has begun.
        writer.append(`${name}${term}-`, 200);
      }
    };
    await Promise.all([contend('a'), contend('b')]);
    await untilStill(log);

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
