/** A long log is read in a thread of its own while it is folded. The thread needs a program: the compiled one. */
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/base/hash.ts';
import type { NatsAddress } from '../../../src/daemon/nats-address.ts';
import { threadFor } from '../../../src/daemon/read-ahead.ts';
import type { Batch } from '../../../src/engine/runtime/rebuild.ts';
import type { ReadAhead } from '../../../src/engine/runtime/recover.ts';
import { recover } from '../../../src/engine/runtime/recover.ts';
import { openLogReader } from '../../../src/journal/jetstream/jetstream-reader.ts';
import type { JournalEntry } from '../../../src/journal/journal.ts';
import { withTombstones } from '../../../src/journal/redactions.ts';
import { entryOf } from '../../support/history/recording-journal.ts';
import { type SignedLog, signedLog } from '../../support/history/signed-log.ts';
import { JetStreamLog } from '../../support/nats/jetstream-log.ts';
import { natsServer, type TestNatsServer } from '../../support/nats/nats.ts';
import { buildDirectory } from '../../support/process/build.ts';

const LIMITS = { finishedMs: 60_000, deadLettersMs: 60_000, tasks: 1_000 };

describe('reading ahead', () => {
  let server: TestNatsServer;
  let made: SignedLog;
  let thread: string;
  const warnings: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line) => void warnings.push(line) });

  beforeAll(async () => {
    thread = join(await buildDirectory(), 'src', 'daemon', 'read-ahead-thread.js');
    server = await natsServer();
    made = await signedLog();
  }, 120_000);

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  /** @param url of the server, if not the one that is there */
  function ahead(url = server.url): ReadAhead {
    const { user, pass } = server.connectOptions;
    const address: NatsAddress = { servers: url, user: String(user), pass: String(pass) };
    const reading = threadFor(address, logger, thread);
    if (!reading) throw new Error('there is a thread');
    // By default the log of a test is too short for it.
    return { ...reading, minEvents: 1 };
  }

  async function filled(count: number): Promise<JetStreamLog> {
    const log = await JetStreamLog.fresh(server);
    await log.open();
    await log.replaceWith(
      Array.from({ length: count }, (_, index) => entryOf(`e-${index + 1}`, `event ${index}`)),
    );
    return log;
  }

  /** The log of `made`, with something in the place of the event that it has erased. */
  function withErased(): JournalEntry[] {
    const entries: JournalEntry[] = [...made.log.messages];
    entries.splice(made.redacted - 1, 0, entryOf('erased', '{}'));
    return entries;
  }

  /** What a start makes of the log. */
  async function started(log: JetStreamLog, readAhead: ReadAhead | null) {
    const journal = withTombstones(await openLogReader(await log.connect()));
    const recovered = await recover({ journal, readAhead, limits: LIMITS, snapshots: null, logger });
    return { end: recovered.end, text: recovered.finish().projections.toText() };
  }

  it('yields each present message, hashed, in batches without a gap', async () => {
    await using log = await filled(1_500);
    await log.remove(700);
    const batches: Batch[] = [];
    for await (const batch of ahead().read(5)) batches.push(batch);
    expect(batches.length).toBeGreaterThan(2);
    for (const { from, messages, lastId } of batches) {
      expect(messages.map(({ sequence }) => sequence)).toEqual(messages.map((_, index) => from + index));
      expect(lastId).toBe(`e-${messages.at(-1)?.sequence}`);
    }
    const all = batches.flatMap(({ messages }) => messages);
    const present = Array.from({ length: 1_496 }, (_, index) => index + 5).filter((each) => each !== 700);
    expect(all.map(({ sequence }) => sequence)).toEqual(present);
    for (const { sequence, bytes, hash } of all) {
      expect(Buffer.from(bytes).toString()).toBe(`event ${sequence - 1}`);
      expect(hash).toBe(sha256(bytes));
    }
  });

  it('gives the same as reading in place, also across an erased event', async () => {
    await using log = await JetStreamLog.fresh(server);
    const { journal } = await log.open();
    await log.replaceWith(withErased());
    await journal.erase(made.redacted);
    const inPlace = await started(log, null);
    expect(inPlace.end.tip).toEqual(made.log.tip());
    let batches = 0;
    const counted: ReadAhead = {
      minEvents: 1,
      async *read(from) {
        for await (const batch of ahead().read(from)) {
          batches++;
          yield batch;
        }
      },
    };
    expect(await started(log, counted)).toEqual(inPlace);
    expect(batches).toBe(2);
  });

  it('snapshots/only-a-shortcut: events that it does not give are read in place, if it cannot reach the server at all', async () => {
    await using log = await JetStreamLog.fresh(server);
    const { journal } = await log.open();
    await log.replaceWith(withErased());
    await journal.erase(made.redacted);
    warnings.length = 0;
    const { end } = await started(log, ahead('nats://127.0.0.1:1'));
    expect(end.tip).toEqual(made.log.tip());
    expect(warnings.join()).toContain('could not read the log ahead');
  });

  it('replay/same-result: a log without an event is refused, with its sequence', async () => {
    await using log = await JetStreamLog.fresh(server);
    await log.open();
    await log.replaceWith(withErased());
    const missing = made.redacted - 1;
    await log.remove(missing);
    await expect(started(log, ahead())).rejects.toMatchObject({
      code: 'log_corrupt',
      details: { expected: missing, found: made.redacted },
    });
  });

  it('replay/same-result: a log with changed bytes is refused, with the sequence of the next event', async () => {
    await using log = await JetStreamLog.fresh(server);
    await log.open();
    const entries = made.log.messages.slice(0, made.redacted - 1);
    await log.replaceWith(
      entries.map((each, index) =>
        index === 1 ? { ...each, bytes: Buffer.from(`${Buffer.from(each.bytes).toString()} `) } : each,
      ),
    );
    await expect(started(log, ahead())).rejects.toMatchObject({
      code: 'log_corrupt',
      details: { sequence: 3 },
    });
  });

  it('a reader that stops leaves no thread behind', async () => {
    await using log = await filled(3_000);
    const ports = (): number =>
      process.getActiveResourcesInfo().filter((resource) => resource === 'MessagePort').length;
    const before = ports();
    for await (const { from } of ahead().read(1)) {
      expect(from).toBe(1);
      expect(ports()).toBeGreaterThan(before);
      break;
    }
    expect(ports()).toBe(before);
    expect((await log.messages()).length).toBe(3_000);
  });
});
