/** Reading: ranges, subjects, and logs with a gap. */
import { expect, it } from 'vitest';
import type { StoredMessage } from '../../src/journal/journal.ts';
import type { RecordingJournal } from '../support/history/recording-journal.ts';
import { allOf, type FreshLog, idsIn, type LogUnderTest, writerOf } from './log-under-test.ts';

/** A log with the messages 1 (epoch) to 21 (e19). */
async function twentyOne(log: LogUnderTest): Promise<RecordingJournal> {
  const writer = await writerOf(log);
  writer.append('e', 20);
  await writer.allReported();
  return writer;
}

export function describeReading(freshLog: FreshLog): void {
  it.each([
    [{ from: 1 }, 1, 21],
    [{ from: 5, to: 5 }, 5, 5],
    [{ from: 3, to: 7 }, 3, 7],
    [{ from: 20, to: 1_000 }, 20, 21],
    [{ from: 22 }, 1, 0],
    [{ from: 7, to: 6 }, 1, 0],
  ])('reads the range %o', async (range, first, last) => {
    await using log = await freshLog();
    await twentyOne(log);
    const { journal } = await log.open();
    const read = await allOf(journal.read(range));
    expect(read.map(readable)).toEqual((await log.messages()).slice(first - 1, last).map(readable));
  });

  it('reads an empty log', async () => {
    await using log = await freshLog();
    const { journal } = await log.open();
    expect(await allOf(journal.read({ from: 1 }))).toEqual([]);
    expect(await allOf(journal.readBySubject('signalbox.v1.evt.demo'))).toEqual([]);
  });

  it('reads up to the end at the time of the call while more is written', async () => {
    await using log = await freshLog();
    const writer = await twentyOne(log);
    let read = 0;
    for await (const { sequence } of writer.journal.read({ from: 1 })) {
      expect(sequence).toBe(++read);
      writer.append('more', 5);
    }
    expect(read).toBe(21);
    await writer.allReported();
  });

  it('reads by subject: whole tokens only, in order, and nothing if none matches', async () => {
    await using log = await freshLog();
    const { journal } = await twentyOne(log);
    const under = async (prefix: string): Promise<string[]> =>
      (await allOf(journal.readBySubject(prefix))).map(({ id }) => id);
    expect(await under('signalbox.v1.evt.demo.task.e1')).toEqual(['e1']);
    expect(await under('signalbox.v1.evt.demo')).toEqual(await idsIn(log));
    expect(await under('signalbox.v1.evt.demo.task.none')).toEqual([]);
  });

  it('tells whether there is a message with a subject', async () => {
    await using log = await freshLog();
    const { journal } = await twentyOne(log);
    const [, e0] = await log.messages();
    expect(await journal.holds(e0?.subject ?? '')).toBe(true);
    expect(await journal.holds('signalbox.v1.evt.demo.task.e0')).toBe(false);
    expect(await journal.holds('signalbox.v1.evt.demo.task.none.created')).toBe(false);
  });

  it('reads by filter: a star is one token', async () => {
    await using log = await freshLog();
    const { journal } = await twentyOne(log);
    const matching = async (filter: string): Promise<string[]> =>
      (await allOf(journal.readByFilter(filter))).map(({ id }) => id);
    expect(await matching('signalbox.v1.evt.*.task.e1.noted')).toEqual(['e1']);
    expect(await matching('signalbox.v1.evt.demo.*.e1.>')).toEqual(['e1']);
    expect(await matching('signalbox.v1.evt.*.task.*.noted')).toEqual(await idsIn(log));
    expect(await matching('signalbox.v1.evt.*.noted')).toEqual([]);
  });
}

export function describeGaps(freshLog: FreshLog): void {
  it.each([1, 2, 11, 20])(
    'erases message %i: a reader skips it, or reports it as missing if all are requested',
    async (sequence) => {
      await using log = await freshLog();
      const { journal } = await twentyOne(log);
      await journal.erase(sequence);
      await journal.erase(sequence);
      const left = Array.from({ length: 21 }, (_, index) => index + 1).filter((each) => each !== sequence);
      const present = async (from: number, to?: number): Promise<number[]> =>
        (await allOf(journal.readPresent(to === undefined ? { from } : { from, to }))).map(
          (each) => each.sequence,
        );
      expect(await present(1)).toEqual(left);
      expect(await present(sequence, sequence)).toEqual([]);
      expect(await present(sequence, sequence + 1)).toEqual([sequence + 1]);
      await expect(allOf(journal.read({ from: 1 }))).rejects.toMatchObject({
        code: 'log_corrupt',
        details: { expected: sequence },
      });
      expect((await journal.tip()).sequence).toBe(21);
    },
  );

  it.each([1, 2, 11, 20])('reports message %i as missing, by its sequence', async (sequence) => {
    await using log = await freshLog();
    const { journal } = await twentyOne(log);
    await log.remove(sequence);
    const read: number[] = [];
    const reading = (async () => {
      for await (const message of journal.read({ from: 1 })) read.push(message.sequence);
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'log_corrupt',
      details: { expected: sequence, found: sequence + 1 },
    });
    expect(read).toEqual(Array.from({ length: sequence - 1 }, (_, index) => index + 1));
  });
}

/** Compares bytes by content, not by class. */
function readable({ sequence, id, subject, bytes }: StoredMessage): object {
  return { sequence, id, subject, text: Buffer.from(bytes).toString('latin1') };
}
