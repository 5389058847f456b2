import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '../../../src/engine/runtime/snapshot.ts';
import { codeFingerprint, SnapshotDirectory } from '../../../src/engine/runtime/snapshot-store.ts';
import { silentLogger } from '../../support/engine.ts';
import { HOSTILE_KINDS, replaceBy } from '../../support/hostile/kinds.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-snapshots-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const store = (code = 'this code'): SnapshotDirectory => new SnapshotDirectory(directory, code, silentLogger);

function snapshotAt(sequence: number, tasks = 3): Snapshot {
  return {
    at: { tip: { sequence, id: `id-${sequence}` }, hash: 'f'.repeat(64) },
    actors: {
      task: new Map([['p/a', { state: 'done', context: { attempts: 1 } as never, version: 4 }]]),
      attempt: new Map(),
      workspace: new Map(),
      agent: new Map(),
      queue: new Map([['type:build', { state: 'paused', context: {}, version: 1 }]]),
      schedule: new Map(),
      budget: new Map(),
      supervisor: new Map(),
    },
    projections: {
      blackboard: {
        tasks: Array.from({ length: tasks }, (_, index) => ({ id: `t${index}`, title: 'two\nlines ✓' })),
        counts: { done: 1 },
      },
      attempts: [['p/a', [{ attempt: 1 }]]],
      agents: [],
    },
    forgotten: 7,
  };
}

const files = async (): Promise<string[]> => (await readdir(directory)).sort();
const fileOf = (sequence: number): string =>
  join(directory, `${String(sequence).padStart(16, '0')}.snapshot`);

describe('a snapshot directory', () => {
  it('returns what was saved, and null if nothing was', async () => {
    expect(await store().load()).toBeNull();
    await store().save(snapshotAt(5, 1_000));
    expect(await store().load()).toEqual(snapshotAt(5, 1_000));
  });

  it('returns the newest snapshot, and keeps two', async () => {
    for (const sequence of [5, 900, 10_000]) await store().save(snapshotAt(sequence));
    expect((await store().load())?.at.tip.sequence).toBe(10_000);
    expect(await files()).toEqual(
      [fileOf(900), fileOf(10_000)].map((file) => file.slice(directory.length + 1)),
    );
  });

  it.each(HOSTILE_KINDS)('returns the one before if a newer one was replaced by: %s', async (kind) => {
    await store().save(snapshotAt(5));
    await replaceBy(kind, [fileOf(6)]);
    expect((await store().load())?.at.tip.sequence).toBe(5);
    await replaceBy(kind, [`${fileOf(7)}.tmp`]);
    // A directory that holds something stays: the snapshot is not taken.
    await store()
      .save(snapshotAt(7))
      .catch(() => expect(kind).toBe('directory'));
    expect((await store().load())?.at.tip.sequence).toBe(kind === 'directory' ? 5 : 7);
  });

  it.each(HOSTILE_KINDS)(
    'has none, and blocks nothing, if the directory was replaced by: %s',
    async (kind) => {
      await store().save(snapshotAt(5));
      await replaceBy(kind, [directory]);
      expect(await store().load()).toBeNull();
      const isUsable = kind === 'directory' || kind === 'nothing';
      const saved = await store()
        .save(snapshotAt(6))
        .then(
          () => true,
          () => false,
        );
      expect(saved).toBe(isUsable);
      await store().drop();
      await store().save(snapshotAt(7));
      expect((await store().load())?.at.tip.sequence).toBe(7);
    },
  );

  it('snapshots/only-a-shortcut: ignores one that other code wrote', async () => {
    await store('other code').save(snapshotAt(5));
    expect(await store().load()).toBeNull();
    expect(codeFingerprint()).toMatch(/^[0-9a-f]{64}$/);
    expect(codeFingerprint()).toBe(codeFingerprint());
  });

  it.each<[string, (file: string) => Promise<void>]>([
    [
      'a flipped byte',
      async (file) => {
        const bytes = await readFile(file);
        bytes[100] = (bytes[100] ?? 0) ^ 1;
        await writeFile(file, bytes);
      },
    ],
    ['a missing end', (file) => truncate(file, 300)],
    ['more than its end', (file) => appendFile(file, '["part","agents",[]]\n')],
    ['nothing in it', (file) => truncate(file, 0)],
  ])('snapshots/only-a-shortcut: ignores one with %s, and uses the one before', async (_what, damage) => {
    await store().save(snapshotAt(5));
    await store().save(snapshotAt(6));
    await damage(fileOf(6));
    expect((await store().load())?.at.tip.sequence).toBe(5);
  });

  it('snapshots/only-a-shortcut: ignores a file that was being written when Signalbox died', async () => {
    await store().save(snapshotAt(5));
    await writeFile(`${fileOf(6)}.tmp`, await readFile(fileOf(5)));
    expect((await store().load())?.at.tip.sequence).toBe(5);
    await store().save(snapshotAt(6));
    expect((await store().load())?.at.tip.sequence).toBe(6);
  });

  it('deletes all snapshots', async () => {
    await store().save(snapshotAt(5));
    await store().drop();
    expect(await store().load()).toBeNull();
  });
});
