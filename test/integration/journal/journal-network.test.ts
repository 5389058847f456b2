/** The JetStream journal with a bad network between it and a real server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JetStreamJournalOptions } from '../../../src/journal/jetstream/jetstream-journal.ts';
import type { RecordingJournal } from '../../support/history/recording-journal.ts';
import { JetStreamLog } from '../../support/nats/jetstream-log.ts';
import { natsServer, type TestNatsServer } from '../../support/nats/nats.ts';
import { TcpProxy } from '../../support/nats/tcp-proxy.ts';

/** For tests with lost answers. */
const IMPATIENT = { acknowledgementTimeoutMs: 300 };

let server: TestNatsServer;
beforeAll(async () => {
  server = await natsServer();
});
afterAll(() => server.stop());

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

  it('journal/nothing-lost: stores a whole log although the connection is cut repeatedly in the middle of the pipeline', async () => {
    await using log = await JetStreamLog.fresh(server);
    await using proxy = await TcpProxy.to(server.url);
    const writer = await behindProxy(log, proxy);
    for (let round = 1; round <= 8; round++) {
      // The server gets a part of the burst, up to the middle of a message.
      proxy.hold('toServer', round * 11_003);
      writer.append('e', 800);
      await log.untilStill();
      proxy.cut();
      await writer.state('resyncing');
      await writer.state('open');
    }
    await writer.allReported();
    await log.expectWhole(writer);
  });

  it('journal/nothing-lost: keeps what is appended while disconnected, and stores it once after reconnecting', async () => {
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
    await log.expectWhole(writer);
  });

  it('journal/nothing-lost: finds what was stored while every acknowledgement was lost, and sends none of it twice', async () => {
    await using log = await JetStreamLog.fresh(server);
    await using proxy = await TcpProxy.to(server.url);
    const writer = await behindProxy(log, proxy, IMPATIENT);
    writer.append('e', 100);
    await writer.allReported();
    proxy.drop('toClient');
    writer.append('e', 1_000);
    const { reason } = await writer.state('resyncing');
    expect(reason).toBe('no acknowledgement in time');
    expect(await log.untilStill()).toBe(1_101);
    expect(writer.reports).toHaveLength(100);
    proxy.cut();
    await writer.allReported();
    writer.append('e', 100);
    await writer.allReported();
    await log.expectWhole(writer);
  });

  it('journal/total-order: ignores acknowledgements that arrive after a resync', async () => {
    await using log = await JetStreamLog.fresh(server);
    await using proxy = await TcpProxy.to(server.url);
    const writer = await behindProxy(log, proxy, IMPATIENT);
    proxy.hold('toClient');
    writer.append('e', 1_000);
    await writer.state('resyncing');
    await log.untilStill();
    proxy.release('toClient');
    await writer.allReported();
    await log.expectWhole(writer);
    expect(writer.states.filter(({ kind }) => kind === 'resyncing')).toHaveLength(1);
  });

  it('journal/nothing-lost: stores nothing twice if a dead connection delivers late, and ignores its answers', async () => {
    await using log = await JetStreamLog.fresh(server);
    await using proxy = await TcpProxy.to(server.url);
    const writer = await behindProxy(log, proxy);
    writer.append('e', 10);
    await writer.allReported();
    proxy.hold('toServer', 20_001);
    writer.append('e', 1_000);
    await log.untilStill();
    proxy.strand();
    await writer.state('resyncing');
    await writer.allReported();
    const before = writer.states.length;
    proxy.deliverStranded();
    writer.append('e', 1_000);
    await writer.allReported();
    await log.untilStill();
    await log.expectWhole(writer);
    expect(writer.states.length).toBe(before);
  });

  it('journal/one-writer: stores a prefix of the old writer, part of whose pipeline arrived before the take-over', async () => {
    await using log = await JetStreamLog.fresh(server);
    await using proxy = await TcpProxy.to(server.url);
    const old = await behindProxy(log, proxy);
    proxy.hold('toServer', 60_001);
    old.append('o', 1_000);
    const arrived = await log.untilStill();
    expect(arrived).toBeLessThan(1_000);
    const next = await log.open();
    const epoch = await next.takeOver('epoch-2');
    // One message of the new writer, at the sequence of the old one's first refused message: the sequence alone would admit the rest.
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

describe('closing while one entry is on its way alone', () => {
  /** Lets the next append reach the server, and holds its answer back. */
  function holdAnswers(proxy: TcpProxy): void {
    proxy.onSent = (text) => {
      if (!text.includes('HPUB signalbox.v1.evt.')) return;
      proxy.onSent = () => {};
      proxy.hold('toClient');
    };
  }

  it('reports nothing more after being closed in the middle of a resync', async () => {
    await using log = await JetStreamLog.fresh(server);
    await using proxy = await TcpProxy.to(server.url);
    const writer = await log.open({}, proxy.url);
    await writer.takeOver('epoch');
    proxy.cut();
    await writer.state('resyncing');
    holdAnswers(proxy);
    writer.append('e', 10);
    await expect.poll(() => log.idAt(2)).toBe('e0');
    await writer.journal.close();
    proxy.release('toClient');
    await log.untilStill();
    // Everything that the server sent before this answer has arrived.
    expect(await writer.journal.tip()).toEqual({ sequence: 2, id: 'e0' });
    expect(writer.reports).toEqual([]);
    expect(writer.states.at(-1)).toEqual({ kind: 'reader' });
  });

  it('does not start writing if it is closed in the middle of its take-over', async () => {
    await using log = await JetStreamLog.fresh(server);
    await using proxy = await TcpProxy.to(server.url);
    const writer = await log.open({}, proxy.url);
    holdAnswers(proxy);
    const takeOver = expect(writer.takeOver('epoch')).rejects.toMatchObject({ code: 'internal' });
    await expect.poll(() => log.idAt(1)).toBe('epoch');
    await writer.journal.close();
    proxy.release('toClient');
    await takeOver;
    expect(writer.journal.state.kind).toBe('reader');
  });
});
