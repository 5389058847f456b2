import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { lstatIfThere, namesIn } from './files.ts';

/** Part of the free space that the store may fill; the rest is for logs, snapshots and everyone else. */
const SHARE_OF_FREE_SPACE = 0.8;

/** nats-server takes 0 as "choose yourself", so a full disk gives this instead: reading goes on, writing is refused. */
const SMALLEST_LIMIT_BYTES = 1024 * 1024;

/**
 * How many bytes the store in `directory` may take in all: what it takes already, and four fifths of what the disk has
 * free, but no more than `configuredBytes`.
 */
export async function storeLimitBytes(
  directory: string,
  configuredBytes = Number.POSITIVE_INFINITY,
): Promise<number> {
  const disk = await statfs(directory);
  const freeBytes = disk.bavail * disk.bsize;
  const usedBytes = await sizeOf(directory);
  const limit = Math.min(configuredBytes, usedBytes + freeBytes * SHARE_OF_FREE_SPACE);
  return Math.max(SMALLEST_LIMIT_BYTES, Math.floor(limit));
}

async function sizeOf(directory: string): Promise<number> {
  let bytes = 0;
  // Names, not one recursive listing: a server that still runs here may remove what was just listed.
  for (const name of await namesIn(directory)) {
    const path = join(directory, name);
    const entry = await lstatIfThere(path);
    bytes += entry?.isDirectory() ? await sizeOf(path) : (entry?.size ?? 0);
  }
  return bytes;
}
