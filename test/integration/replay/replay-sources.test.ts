/** The log on a real server as a source of events: all of it, parts of it, and as it grows. */
import { connect } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LiveEventSource } from '../../../src/engine/replay/event-source.ts';
import { journalSource, natsSource } from '../../../src/engine/replay/event-source.ts';
import type { StoredMessage } from '../../../src/journal/journal.ts';
import { entryOf, type RecordingJournal } from '../../support/history/recording-journal.ts';
import { JetStreamLog } from '../../support/nats/jetstream-log.ts';
import { natsServer, type TestNatsServer } from '../../support/nats/nats.ts';
import { until } from '../../support/until.ts';

let nats: TestNatsServer;
let log: JetStreamLog;
let writer: RecordingJournal;
let source: LiveEventSource;

beforeEach(async () => {
  nats = await natsServer();
  log = await JetStreamLog.fresh(nats);
  writer = await log.open();
  await writer.takeOver('epoch');
  writer.append('a', 9);
  await writer.allReported();
  source = await natsSource(await log.connect());
});
afterEach(async () => {
  await log[Symbol.asyncDispose]();
  await nats.stop();
});

async function sequences(messages: AsyncIterable<StoredMessage>): Promise<number[]> {
  const found: number[] = [];
  for await (const { sequence } of messages) found.push(sequence);
  return found;
}

/** Follows until it is told to end; what has come can be looked at meanwhile. */
function following(selection: Parameters<LiveEventSource['follow']>[0]) {
  const stop = new AbortController();
  const seen: number[] = [];
  const ended = (async () => {
    for await (const { sequence } of source.follow(selection, stop.signal)) seen.push(sequence);
  })();
  // A follower may be awaited later, or not at all if a test fails before: its rejection is handled here.
  ended.catch(() => undefined);
  return { seen, ended, stop: () => stop.abort() };
}

describe('the log as a source', () => {
  it('yields the selected events, in order, as a journal does', async () => {
    const journal = journalSource(writer.journal);
    for (const each of [source, journal]) {
      expect(await each.lastSequence()).toBe(10);
      expect(await sequences(each.read())).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(await sequences(each.read({ from: 3, to: 5 }))).toEqual([3, 4, 5]);
      expect(await sequences(each.read({ from: 9, to: 99 }))).toEqual([9, 10]);
      expect(await sequences(each.read({ from: 11 }))).toEqual([]);
      expect(await sequences(each.read({ project: 'demo', from: 8 }))).toEqual([8, 9, 10]);
      expect(await sequences(each.read({ project: 'demo', to: 3 }))).toEqual([1, 2, 3]);
      expect(await sequences(each.read({ project: 'demo', task: 'a4' }))).toEqual([6]);
      expect(await sequences(each.read({ project: 'demo', task: 'a4', to: 5 }))).toEqual([]);
      expect(await sequences(each.read({ project: 'dem' }))).toEqual([]);
    }
  });

  it('follows from any sequence without a gap, also after the server was killed', async () => {
    const all = following({ from: 8 });
    const one = following({ project: 'demo', task: 'b10' });
    await until(() => all.seen.length === 3, 'what was there has come');
    writer.append('b', 3);
    await until(() => all.seen.length === 6, 'what is new has come');
    await until(() => one.seen.length === 1, 'what is new of one task has come');
    await nats.kill9();
    await nats.restart();
    writer.append('c', 200);
    await until(() => all.seen.length === 206, 'what came after the restart has come', 20_000);
    expect(all.seen).toEqual(Array.from({ length: 206 }, (_, index) => 8 + index));
    expect(one.seen).toEqual([12]);
    all.stop();
    one.stop();
    await Promise.all([all.ended, one.ended]);
  });

  it('says which event is missing, whether it is read or followed', async () => {
    await log.remove(5);
    const missing = expect.objectContaining({
      code: 'log_corrupt',
      details: { sequence: 5, expected: 5, found: 6 },
    });
    await expect(sequences(source.read())).rejects.toEqual(missing);
    await expect(following({ from: 3 }).ended).rejects.toEqual(missing);
  });

  it('creates no stream if there is none', async () => {
    await using empty = await natsServer();
    const connection = await connect(empty.connectOptions);
    await expect(natsSource(connection)).rejects.toMatchObject({ code: 'not_found' });
    await expect(natsSource(connection)).rejects.toMatchObject({ code: 'not_found' });
    await connection.close();
  });

  it('fails a follower whose connection is closed for good', async () => {
    const connection = await connect(nats.connectOptions);
    source = await natsSource(connection);
    const lost = following({ from: 1 });
    await until(() => lost.seen.length === 10, 'what was there has come');
    await connection.close();
    await expect(lost.ended).rejects.toMatchObject({ code: 'nats_unavailable' });
    await log.intrude(entryOf('after'));
  });
});
