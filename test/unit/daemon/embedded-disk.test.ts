import { mkdir, statfs, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { storeLimitBytes } from '../../../src/daemon/embedded/server.ts';
import { temporaryDirectory } from '../../support/nats/embedded.ts';

const GIB = 1024 ** 3;

describe('storeLimitBytes', () => {
  it('is the configured limit if the disk has enough free space', async () => {
    await using directory = await temporaryDirectory();
    expect(await storeLimitBytes(directory.path, 5_000_000)).toBe(5_000_000);
  });

  it('includes what the store has already, and leaves a part of the disk free', async () => {
    await using directory = await temporaryDirectory();
    const { bsize, blocks } = await statfs(directory.path);
    const before = await storeLimitBytes(directory.path);
    expect(before).toBeLessThan(bsize * blocks);
    const block = join(directory.path, 'streams', 'block');
    await mkdir(dirname(block));
    await writeFile(block, '');
    // A sparse file: the free space stays about the same.
    await truncate(block, 10 * GIB);
    const grown = (await storeLimitBytes(directory.path)) - before;
    expect(grown).toBeGreaterThan(5 * GIB);
    expect(grown).toBeLessThan(15 * GIB);
  });

  it('is never 0, which the server would take for no limit', async () => {
    await using directory = await temporaryDirectory();
    expect(await storeLimitBytes(directory.path, 0)).toBeGreaterThan(0);
  });
});
