import { describe, expect, it } from 'vitest';
import { Past } from '../../../src/app/events/past.ts';
import { deferred } from '../../../src/base/deferred.ts';
import type { StoredRecord } from '../../../src/contracts/events/events.ts';
import type { Moment } from '../../../src/engine/replay/moment.ts';
import { PastOf } from '../../support/history/past.ts';

const signal = new AbortController().signal;
const at = (sequence: number): Moment => ({ kind: 'sequence', sequence });
const placeOf = (_state: unknown, record: StoredRecord): number => record.sequence;

/** Events that change nothing, one a second. */
const records = Array.from(
  { length: 100 },
  (_, index): StoredRecord => ({
    sequence: index + 1,
    id: `w-${index + 1}`,
    time: index * 1_000,
    actor: 'supervisor',
    cause: undefined,
    previousHash: '',
    left: 0,
    event: { type: 'supervisor.draining', reason: 'a test' },
    transitions: [],
  }),
);

describe('the past', () => {
  it('reads on from the last state, and back from the nearest kept one', async () => {
    const log = new PastOf(records);
    const past = new Past(log, { stride: 10 });
    await past.at(at(35), signal, placeOf);
    log.read.length = 0;
    await past.at(at(38), signal, placeOf);
    expect(log.read).toEqual([36, 37, 38]);
    log.read.length = 0;
    await past.at(at(23), signal, placeOf);
    expect(log.read).toEqual([21, 22, 23]);
  });

  it('finds the last event at or before a time', async () => {
    const past = new Past(new PastOf(records));
    const found = await past.at({ kind: 'time', time: 41_500 }, signal, placeOf);
    expect(found).toBe(42);
    expect(await past.at({ kind: 'time', time: 10 ** 9 }, signal, placeOf)).toBe(100);
  });

  it('refuses moments that the log does not have', async () => {
    const past = new Past(new PastOf(records));
    const none = expect.objectContaining({ code: 'no_such_moment' });
    await expect(past.at(at(101), signal, placeOf)).rejects.toEqual(none);
    await expect(past.at(at(0), signal, placeOf)).rejects.toEqual(none);
    await expect(past.at({ kind: 'time', time: -1 }, signal, placeOf)).rejects.toEqual(none);
  });

  it('reports its progress if reading takes too long, and continues for the next request', async () => {
    const log = new PastOf(records);
    const stopped = deferred();
    const goOn = deferred();
    log.gate = async (sequence) => {
      if (sequence !== 60) return;
      stopped.resolve();
      await goOn.promise;
    };
    const past = new Past(log, { patienceMs: 5_000 });
    const waiting = past.at(at(90), signal, placeOf);
    await stopped.promise;
    log.clock.advance(5_000);
    await expect(waiting).rejects.toMatchObject({ code: 'past_pending', details: { read: 59, end: 100 } });
    goOn.resolve();
    expect(await past.at(at(90), signal, placeOf)).toBe(90);
    expect(log.read).toEqual(records.slice(0, 90).map(({ sequence }) => sequence));
  });

  it('releases everything after a while, and what it built from content that was erased', async () => {
    const log = new PastOf(records);
    const past = new Past(log, { stride: 10, keepMs: 60_000 });
    const readsAnew = async (): Promise<boolean> => {
      log.read.length = 0;
      await past.at(at(50), signal, placeOf);
      return log.read[0] === 1;
    };
    expect(await readsAnew()).toBe(true);
    expect(await readsAnew()).toBe(false);
    log.clock.advance(60_000);
    expect(await readsAnew()).toBe(true);
    const [first] = records;
    if (!first) throw new Error('there are no records');
    const event = {
      type: 'task.redacted',
      project: 'p',
      task: 't',
      reason: '',
      sequence: 1,
      sha256: '',
      skeleton: {},
    } as const;
    log.tell({ ...first, event });
    expect(await readsAnew()).toBe(true);
    log.close();
    expect(log.clock.pending).toBe(0);
  });
});
