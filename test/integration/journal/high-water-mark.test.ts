/** The high-water mark against logs of a real server that come back changed. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HighWaterMark } from '../../../src/journal/high-water-mark.ts';
import { JetStreamLog } from '../../support/nats/jetstream-log.ts';
import { natsServer, type TestNatsServer } from '../../support/nats/nats.ts';

const logger = pino({ level: 'silent' });

let server: TestNatsServer;
let directory: string;
let file: string;
beforeAll(async () => {
  server = await natsServer();
  directory = await mkdtemp(join(tmpdir(), 'signalbox-mark-'));
  file = join(directory, 'high-water-mark.json');
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Takes over the log, stores this many events, and marks each. */
async function write(log: JetStreamLog, epoch: string, count: number): Promise<void> {
  const mark = await HighWaterMark.open(file, logger, 1);
  const writer = await log.open();
  await mark.check(writer.journal);
  mark.advance({ sequence: await writer.takeOver(epoch), id: epoch });
  writer.onReport = (tip) => mark.advance(tip);
  writer.append(`${epoch}-`, count);
  await writer.allReported();
  await writer.journal.close();
  await mark.close();
}

it('journal/high-water-mark: accepts the log after each restart, and refuses an older backup', async () => {
  const backup = join(directory, 'backup');
  await using log = await JetStreamLog.fresh(server);
  await write(log, 'first', 300);
  await server.kill9();
  await server.restart();
  await write(log, 'second', 300);

  await server.kill9();
  await cp(server.storeDir, backup, { recursive: true });
  await server.restart();
  await write(log, 'third', 300);

  await server.kill9();
  await rm(server.storeDir, { recursive: true });
  await cp(backup, server.storeDir, { recursive: true });
  await server.restart();
  await expect(write(log, 'fourth', 1)).rejects.toMatchObject({
    code: 'log_mismatch',
    details: { end: 602, expected: { sequence: 903, id: 'third-299' } },
  });
  expect((await log.messages()).length).toBe(602);

  // Another process continued the restored log: it has the old length and other events.
  const other = await log.open();
  await other.takeOver('other');
  other.append('o', 300);
  await other.allReported();
  await expect(write(log, 'fourth', 1)).rejects.toMatchObject({
    code: 'log_mismatch',
    details: { id: 'o299', expected: { sequence: 903, id: 'third-299' } },
  });

  await rm(file);
  await write(log, 'fourth', 1);
});

it('journal/high-water-mark: refuses the log of another server', async () => {
  await using log = await JetStreamLog.fresh(server);
  await rm(file, { force: true });
  await write(log, 'here', 10);
  await using elsewhere = await natsServer();
  await using empty = await JetStreamLog.fresh(elsewhere);
  await expect(write(empty, 'there', 1)).rejects.toMatchObject({ code: 'log_mismatch', details: { end: 0 } });
  await expect(empty.messages()).resolves.toEqual([]);
});
