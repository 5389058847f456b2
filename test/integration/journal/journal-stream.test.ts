/** The stream of the event log: wrong settings, damage, and limits of the server. */
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENT_STREAM, EVENT_SUBJECTS, LIVE_SUBJECTS } from '../../../src/contracts/messages/subjects.ts';
import { entryOf } from '../../support/history/recording-journal.ts';
import { JetStreamLog } from '../../support/nats/jetstream-log.ts';
import { natsServer, type TestNatsServer } from '../../support/nats/nats.ts';

let server: TestNatsServer;
beforeAll(async () => {
  server = await natsServer();
});
afterAll(() => server.stop());

const GOOD = {
  name: EVENT_STREAM,
  subjects: [EVENT_SUBJECTS],
  storage: StorageType.File,
  retention: RetentionPolicy.Limits,
  discard: DiscardPolicy.New,
  duplicate_window: 1_000_000_000,
  republish: { src: EVENT_SUBJECTS, dest: LIVE_SUBJECTS },
};

/** Servers before 2.10 do so if a stream has `max_bytes`, whatever its `discard`. */
function dropsOldest(): boolean {
  return server.version.startsWith('2.9.');
}

describe('a stream that exists already', () => {
  it.each<[string, Partial<StreamConfig>]>([
    ['max_age', { max_age: 3_600_000_000_000 }],
    ['discard', { discard: DiscardPolicy.Old }],
    ['max_msgs', { max_msgs: 1_000_000 }],
    ['max_msgs_per_subject', { max_msgs_per_subject: 1 }],
    ['storage', { storage: StorageType.Memory }],
    ['retention', { retention: RetentionPolicy.Interest }],
    ['max_msg_size', { max_msg_size: 100_000 }],
    ['no_ack', { no_ack: true }],
    ['subjects', { subjects: ['signalbox.v1.evt.demo.>'] }],
    ['republish', { republish: { src: EVENT_SUBJECTS, dest: LIVE_SUBJECTS, headers_only: true } }],
  ])('is refused and not changed if its setting %s would lose or hide events', async (setting, wrong) => {
    await using log = await JetStreamLog.fresh(server);
    const manager = await log.manager();
    await manager.streams.add({ ...GOOD, ...wrong });
    await expect(log.open()).rejects.toMatchObject({
      code: 'log_mismatch',
      message: expect.stringContaining(`${setting} is `),
      details: { wrong: [setting] },
    });
    expect((await manager.streams.info(EVENT_STREAM)).config).toMatchObject(wrong);
  });

  it('may have a size limit, unless the server would drop the oldest events', async () => {
    await using log = await JetStreamLog.fresh(server);
    await (await log.manager()).streams.add({ ...GOOD, max_bytes: 10_000_000 });
    const open = log.open();
    if (!dropsOldest()) await expect(open).resolves.toBeDefined();
    else await expect(open).rejects.toMatchObject({ details: { wrong: ['max_bytes'] } });
  });

  it('is accepted if it differs only in harmless settings', async () => {
    await using log = await JetStreamLog.fresh(server);
    await (await log.manager()).streams.add({ ...GOOD, description: 'mine' });
    const writer = await log.open();
    await writer.takeOver('epoch');
    writer.append('e', 10);
    await writer.allReported();
  });
});

describe('a damaged log', () => {
  it.each([
    ['its last message', 11, 11, (log: JetStreamLog) => log.remove(11)],
    [
      'all messages',
      1,
      11,
      async (log: JetStreamLog) => {
        for (let sequence = 1; sequence <= 11; sequence++) await log.remove(sequence);
      },
    ],
  ])('is reported if it lost %s', async (_, expected, sequence, damage) => {
    await using log = await JetStreamLog.fresh(server);
    const writer = await log.open();
    await writer.takeOver('epoch');
    writer.append('e', 10);
    await writer.allReported();
    await damage(log);
    const { journal } = await log.open();
    expect(await journal.tip()).toEqual({ sequence, id: '' });
    const reading = (async () => {
      for await (const message of journal.read({ from: 1 })) expect(message.sequence).toBeLessThan(expected);
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'log_corrupt',
      details: { expected, found: null },
    });
  });

  it('cannot be purged, also if an earlier version created its stream', async () => {
    await using log = await JetStreamLog.fresh(server);
    const { streams } = await log.manager();
    await streams.add({ ...GOOD });
    const writer = await log.open();
    await writer.takeOver('epoch');
    await expect(streams.purge(EVENT_STREAM)).rejects.toThrow(/purge/);
    expect((await streams.info(EVENT_STREAM)).state.messages).toBe(1);
  });

  it('journal/one-writer: fences the writer of a stream that was deleted', async () => {
    await using log = await JetStreamLog.fresh(server);
    const writer = await log.open();
    await writer.takeOver('epoch');
    await (await log.manager()).streams.delete(EVENT_STREAM);
    writer.append('e', 10);
    const { error } = await writer.state('fenced');
    expect(error).toMatchObject({ code: 'log_corrupt', message: expect.stringContaining('does not exist') });
  });
});

describe('limits', () => {
  it('journal/nothing-lost: waits with the reason of the server while the stream is full, and continues when there is room', async ({
    skip,
  }) => {
    if (dropsOldest()) skip('this server makes room by itself');
    await using log = await JetStreamLog.fresh(server);
    const manager = await log.manager();
    const writer = await log.open();
    await writer.takeOver('epoch');
    await manager.streams.update(EVENT_STREAM, { max_bytes: 20_000 });
    writer.append('e', 1_000);
    const { reason } = await writer.state('resyncing');
    expect(reason).toContain('maximum bytes exceeded');
    await manager.streams.update(EVENT_STREAM, { max_bytes: -1 });
    await writer.allReported();
    expect((await log.messages()).map(({ id }) => id)).toEqual(['epoch', ...writer.appended]);
  });

  it('stops at an entry that the server can never store, and stores nothing after it', async () => {
    await using log = await JetStreamLog.fresh(server);
    const writer = await log.open();
    await writer.takeOver('epoch');
    writer.append('e', 10);
    writer.journal.append(entryOf('huge', 'x'.repeat(1_048_576)));
    writer.append('after', 10);
    const { error } = await writer.state('fenced');
    expect(error).toMatchObject({ code: 'body_too_large', details: { id: 'huge', bytes: 1_048_576 } });
    const next = await log.open();
    await next.takeOver('epoch-2');
    const stored = (await log.messages()).map(({ id }) => id);
    expect(stored).toEqual(['epoch', ...writer.appended.slice(0, stored.length - 2), 'epoch-2']);
    expect(stored.length).toBeLessThanOrEqual(12);
  });

  it('stops if its connection is closed for good', async () => {
    await using log = await JetStreamLog.fresh(server);
    const connection = await log.connect();
    const writer = await log.open({}, connection);
    await writer.takeOver('epoch');
    await connection.close();
    writer.append('e');
    const { error } = await writer.state('fenced');
    expect(error).toMatchObject({ code: 'nats_unavailable', message: expect.stringContaining('closed') });
    await expect(writer.journal.tip()).rejects.toMatchObject({ code: 'nats_unavailable' });
  });

  it('leaves no consumer behind after reading', async () => {
    await using log = await JetStreamLog.fresh(server);
    const writer = await log.open();
    await writer.takeOver('epoch');
    writer.append('e', 100);
    await writer.allReported();
    for await (const { sequence } of writer.journal.read({ from: 1 })) if (sequence === 50) break;
    for await (const _ of writer.journal.readBySubject('signalbox.v1.evt.demo'));
    for await (const _ of writer.journal.readBySubject('signalbox.v1.evt.none'));
    const { state } = await (await log.manager()).streams.info(EVENT_STREAM);
    expect(state.consumer_count).toBe(0);
  });
});
