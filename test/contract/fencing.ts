/** journal/one-writer: one writer, and one log. */
import { expect, it } from 'vitest';
import type { JournalEntry } from '../../src/journal/journal.ts';
import { entryOf } from '../support/history/recording-journal.ts';
import { type FreshLog, idsIn, NOTHING, writerOf } from './log-under-test.ts';

export function describeTakeOver(freshLog: FreshLog): void {
  it('journal/one-writer: takes over only at the given tip, by sequence and id, and does not report that entry', async () => {
    await using log = await freshLog();
    const first = await log.open();
    expect(await first.journal.tip()).toEqual(NOTHING);
    expect(await first.journal.takeOver(NOTHING, entryOf('one'))).toEqual({ ok: true });
    const second = await log.open();
    const tip = { sequence: 1, id: 'one' };
    expect(await second.journal.takeOver(NOTHING, entryOf('two'))).toEqual({ ok: false, tip });
    const sameLength = { sequence: 1, id: 'other' };
    expect(await second.journal.takeOver(sameLength, entryOf('two'))).toEqual({ ok: false, tip });
    expect(second.journal.state.kind).toBe('reader');
    expect(await second.journal.takeOver(tip, entryOf('two'))).toEqual({ ok: true });
    expect(second.journal.state.kind).toBe('open');
    expect(await idsIn(log)).toEqual(['one', 'two']);
    expect([...first.reports, ...second.reports]).toEqual([]);
  });

  it('journal/one-writer: lets one of ten win that take over the same tip at the same time', async () => {
    await using log = await freshLog();
    const writers = await Promise.all(Array.from({ length: 10 }, () => log.open()));
    const results = await Promise.all(
      writers.map((writer, index) => writer.journal.takeOver(NOTHING, entryOf(`w${index}`))),
    );
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await idsIn(log)).toEqual([`w${results.findIndex(({ ok }) => ok)}`]);
  });
}

export function describeFencing(freshLog: FreshLog): void {
  it('journal/one-writer: fences the earlier writer at its next append, and stores nothing of it', async () => {
    await using log = await freshLog();
    const old = await writerOf(log);
    const next = await log.open();
    await next.takeOver('epoch-2');
    old.append('late', 1_000);
    const { error } = await old.state('fenced');
    expect(error).toMatchObject({ code: 'log_fenced' });
    old.append('later', 10);
    next.append('n', 10);
    await next.allReported();
    expect(await idsIn(log)).toEqual(['epoch', 'epoch-2', ...next.appended]);
    expect(old.reports).toEqual([]);
    expect(old.journal.backlog).toBe(0);
    expect(old.states.filter(({ kind }) => kind === 'fenced')).toHaveLength(1);
  });

  it('journal/one-writer: stores nothing of 1,000 entries that the earlier writer has in flight at the take-over', async () => {
    await using log = await freshLog();
    const { writer: old, gate } = await log.openBehindGate();
    await old.takeOver('epoch');
    old.append('o', 100);
    await old.allReported();
    gate.shut();
    old.append('late', 1_000);
    const next = await log.open();
    await next.takeOver('epoch-2');
    next.append('n', 500);
    await next.allReported();
    gate.open();
    const { error } = await old.state('fenced');
    next.append('n', 500);
    await next.allReported();

    expect(error).toMatchObject({ code: 'log_fenced' });
    expect(await idsIn(log)).toEqual(['epoch', ...old.appended.slice(0, 100), 'epoch-2', ...next.appended]);
    expect(old.reports).toHaveLength(100);
  });

  it('journal/one-writer: is fenced if another journal took over while it was cut off', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    writer.append('e', 100);
    await writer.allReported();
    await log.cut();
    writer.append('e', 100);
    await log.restore();
    const next = await log.open();
    const epoch = await next.takeOver('epoch-2');
    writer.append('e', 100);
    await writer.state('fenced');
    const stored = await idsIn(log);
    expect(stored.indexOf('epoch-2')).toBe(epoch - 1);
    expect(stored).toHaveLength(epoch);
  });

  it('journal/one-writer: stores nothing after a foreign message, though that has the sequence that the next entry expects', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    let intrusion: Promise<void> | undefined;
    writer.onReport = ({ sequence }) => {
      writer.append('e');
      if (sequence === 1_500) intrusion = log.intrude(entryOf('intruder'));
    };
    writer.append('e', 1_000);
    const { error } = await writer.state('fenced');
    await intrusion;
    const stored = await idsIn(log);
    expect(stored.at(-1)).toBe('intruder');
    expect(stored.slice(1, -1)).toEqual(writer.appended.slice(0, stored.length - 2));
    expect(error).toMatchObject({ code: 'log_fenced' });
    expect(error.message).toMatch(/written|wrote|another/);
  });
}

export function describeOtherLogs(freshLog: FreshLog): void {
  const foreign = (count: number): JournalEntry[] =>
    Array.from({ length: count }, (_, index) => entryOf(`foreign${index}`));

  it.each([
    ['is empty', 'log_corrupt', foreign(0), /ends at 0, but 11 was acknowledged/],
    ['is shorter', 'log_corrupt', foreign(10), /ends at 10, but 11 was acknowledged/],
    [
      'is shorter and ends with the same id',
      'log_corrupt',
      [...foreign(5), entryOf('e9')],
      /ends at 6, but 11/,
    ],
    ['has the same length', 'log_corrupt', foreign(11), /11 has id foreign10, but id e9 was acknowledged/],
    ['is longer', 'log_fenced', foreign(12), /another/],
  ])('journal/one-writer: never writes to another log that %s', async (_, code, other, reason) => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    writer.append('e', 10);
    await writer.allReported();
    await log.replaceWith(other);
    writer.append('e', 10);
    const { error } = await writer.state('fenced');
    expect(error).toMatchObject({ code, message: expect.stringMatching(reason) });
    expect(await idsIn(log)).toEqual(other.map(({ id }) => id));
  });
}
