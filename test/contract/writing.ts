/** journal/total-order and journal/nothing-lost. */
import { expect, it } from 'vitest';
import { entryOf } from '../support/history/recording-journal.ts';
import { allOf, type FreshLog, idsIn, NOTHING, writerOf } from './log-under-test.ts';

export function describeOrder(freshLog: FreshLog): void {
  it('journal/total-order: stores 5,000 pipelined entries in order without a gap, and reports each once, after it is stored', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    const looks: Promise<[expected: string, found: string | undefined]>[] = [];
    writer.onReport = ({ sequence, id }) => {
      if (sequence % 250 === 0) looks.push(log.idAt(sequence).then((found) => [id, found]));
    };
    writer.append('e', 5_000);
    expect(writer.journal.backlog).toBe(5_000);
    await writer.allReported();

    const stored = await log.messages();
    expect(stored.map(({ id }) => id)).toEqual(['epoch', ...writer.appended]);
    expect(stored.map(({ sequence }) => sequence)).toEqual(stored.map((_, index) => index + 1));
    expect(writer.reports).toEqual(stored.slice(1).map(({ sequence, id }) => ({ sequence, id })));
    expect(writer.journal.backlog).toBe(0);
    for (const [expected, found] of await Promise.all(looks)) expect(found).toBe(expected);
    expect(looks).toHaveLength(20);
  });

  it('journal/total-order: keeps subject and bytes exactly', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    const entry = entryOf('odd', '{"text":"quotes \\" and 中文 \u0000 \r\n"}');
    writer.journal.append(entry);
    await writer.when(() => writer.reports.length === 1);
    const [, stored] = await log.messages();
    expect(stored).toMatchObject({ sequence: 2, id: 'odd', subject: entry.subject });
    expect(Buffer.from(stored?.bytes ?? []).equals(entry.bytes)).toBe(true);
  });

  it('journal/total-order: stores what is appended in a report after everything appended before', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    writer.onReport = ({ id }) => {
      if (id.startsWith('cause')) writer.append('effect');
    };
    writer.append('cause', 300);
    await writer.when(() => writer.reports.length === 600);
    expect(writer.reportedIds).toEqual(writer.appended);
    expect(await idsIn(log)).toEqual(['epoch', ...writer.appended]);
  });
}

export function describeNothingGivenUp(freshLog: FreshLog): void {
  it('journal/nothing-lost: stores once and in order what was in flight or appended while the log was cut off', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    writer.append('e', 1_000);
    await log.cut();
    writer.append('e', 500);
    await writer.state('resyncing');
    writer.append('e', 500);
    await log.restore();
    await writer.allReported();
    writer.append('e', 100);
    await writer.allReported();
    expect(writer.journal.state.kind).toBe('open');
    expect(await idsIn(log)).toEqual(['epoch', ...writer.appended]);
    expect(writer.reportedIds).toEqual(writer.appended);
  });

  it('journal/nothing-lost: continues after a cut with nothing in flight', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    await log.cut();
    await log.restore();
    writer.append('e', 3);
    await writer.allReported();
    expect(await idsIn(log)).toEqual(['epoch', ...writer.appended]);
  });

  it('reports an unreachable log from tip, read and takeOver', async () => {
    await using log = await freshLog();
    const { journal } = await log.open();
    await log.cut();
    const unavailable = expect.objectContaining({ code: 'nats_unavailable' });
    await expect(journal.tip()).rejects.toEqual(unavailable);
    await expect(journal.takeOver(NOTHING, entryOf('epoch'))).rejects.toEqual(unavailable);
    await expect(allOf(journal.read({ from: 1 }))).rejects.toEqual(unavailable);
    await log.restore();
    await expect.poll(() => journal.tip().catch(() => null)).toEqual(NOTHING);
  });
}
