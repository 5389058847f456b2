/** How a journal stops. */
import { expect, it } from 'vitest';
import { type FreshLog, idsIn, writerOf } from './log-under-test.ts';

export function describeTheEnd(freshLog: FreshLog): void {
  it('stops if a handler throws, and names the entry', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    writer.onReport = ({ sequence }) => {
      if (sequence === 100) throw new Error('the fold broke');
    };
    writer.append('e', 500);
    const { error } = await writer.state('fenced');
    expect(error).toMatchObject({ code: 'internal', message: expect.stringContaining('the fold broke') });
    expect(error.details).toEqual({ sequence: 100, id: 'e98' });
    expect(writer.reports).toHaveLength(99);
    // The same connection can still read the log.
    expect((await writer.journal.tip()).sequence).toBeGreaterThanOrEqual(100);
  });

  it('reports nothing after close, with 1,000 in flight', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    writer.append('e', 1_000);
    await writer.when(() => writer.reports.length > 0);
    await writer.journal.close();
    const reported = writer.reports.length;
    writer.append('late', 10);
    await writer.journal.close();
    const next = await log.open();
    await next.takeOver('epoch-2');

    const stored = await idsIn(log);
    expect(stored.slice(1, -1)).toEqual(writer.appended.slice(0, stored.length - 2));
    expect(stored.at(-1)).toBe('epoch-2');
    expect(writer.reports).toHaveLength(reported);
    expect(writer.journal).toMatchObject({ state: { kind: 'reader' }, backlog: 0 });
  });

  it('reports nothing and is not fenced when it is closed within a report', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    writer.onReport = ({ sequence }) => {
      if (sequence === 50) void writer.journal.close();
    };
    writer.append('e', 200);
    await writer.state('reader');
    const reader = await log.open();
    await reader.takeOver('epoch-2');
    expect(writer.reports).toHaveLength(49);
    expect(writer.states.map(({ kind }) => kind)).not.toContain('fenced');
  });

  it('reports nothing and is not fenced when it is closed while it resyncs', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    writer.append('e', 1_000);
    await log.cut();
    writer.append('e');
    await writer.state('resyncing');
    const reported = writer.reports.length;
    await writer.journal.close();
    await log.restore();
    const next = await log.open();
    await next.takeOver('epoch-2');
    next.append('n', 10);
    await next.allReported();
    expect(writer.reports).toHaveLength(reported);
    expect(writer.journal.state.kind).toBe('reader');
  });
}
