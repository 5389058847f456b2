import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openGroupCommit } from '../../src/journal/jetstream/group-commit.ts';
import { RecordingJournal } from '../support/history/recording-journal.ts';
import { MemoryJournal, MemoryLog } from '../support/memory-journal.ts';
import { until } from '../support/until.ts';
import { describeJournal } from './journal-contract.ts';
import { memoryLogs } from './memory-log-under-test.ts';

describeJournal(
  'group commit',
  memoryLogs((openInner, handlers) => openGroupCommit(openInner, handlers, () => nextTurn())),
);

/** A disk whose syncs the test completes. */
class SlowDisk {
  readonly underway: { finish: () => void; fail: (error: Error) => void }[] = [];
  isQuick = true;

  readonly sync = (): Promise<void> =>
    this.isQuick
      ? Promise.resolve()
      : new Promise((finish, fail) => {
          this.underway.push({ finish, fail });
        });
}

async function writerOn(disk: SlowDisk): Promise<RecordingJournal> {
  const log = new MemoryLog();
  const writer = await RecordingJournal.open((handlers) =>
    openGroupCommit(async (inner) => new MemoryJournal(log, inner), handlers, disk.sync),
  );
  await writer.takeOver('epoch');
  disk.isQuick = false;
  return writer;
}

describe('a journal that syncs', () => {
  it('journal/durable-before-ack: reports an entry only after a sync that began after its acknowledgement; many entries share one', async () => {
    const disk = new SlowDisk();
    const writer = await writerOn(disk);
    writer.append('a', 3);
    await until(() => disk.underway.length === 1, 'a sync');
    writer.append('b', 5);
    await nextTurn();
    await nextTurn();
    expect(writer.reportedIds).toEqual([]);
    expect(writer.journal.backlog).toBe(8);
    disk.underway[0]?.finish();
    await until(() => disk.underway.length === 2, 'the next sync');
    expect(writer.reportedIds).toEqual(['a0', 'a1', 'a2']);
    disk.underway[1]?.finish();
    await writer.allReported();
    expect(disk.underway).toHaveLength(2);
    expect(writer.journal.backlog).toBe(0);
  });

  it('journal/durable-before-ack: is fenced by a disk that fails, and reports nothing that may be lost', async () => {
    const disk = new SlowDisk();
    const writer = await writerOn(disk);
    writer.append('a', 2);
    await until(() => disk.underway.length === 1, 'a sync');
    disk.underway[0]?.fail(new Error('EIO: i/o error'));
    await until(() => writer.journal.state.kind === 'fenced', 'the fence');
    writer.append('b', 1);
    await nextTurn();
    expect(writer.reportedIds).toEqual([]);
    expect(writer.states.at(-1)).toMatchObject({
      kind: 'fenced',
      error: { code: 'log_fenced', message: expect.stringContaining('EIO') },
    });
  });

  it('completes a take-over only after it is synced to the disk', async () => {
    const disk = new SlowDisk();
    const log = new MemoryLog();
    const writer = await RecordingJournal.open((handlers) =>
      openGroupCommit(async (inner) => new MemoryJournal(log, inner), handlers, disk.sync),
    );
    disk.isQuick = false;
    let isOver = false;
    const taking = writer.takeOver('epoch').then(() => {
      isOver = true;
    });
    await until(() => disk.underway.length === 1, 'a sync');
    expect(isOver).toBe(false);
    disk.underway[0]?.finish();
    await taking;
  });
});
