/** File operations of the embedded server. */
import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { lstat, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { hasCode } from '../../base/errors.ts';
import { openRegular } from '../../base/regular-files.ts';

/** The names in `directory`; none if there is no such directory. */
export function namesIn(directory: string): Promise<readonly string[]> {
  return ifThere(readdir(directory), []);
}

/** What is at `path`, without following a link; undefined if nothing is there. */
export function lstatIfThere(path: string): Promise<Stats | undefined> {
  return ifThere(lstat(path), undefined);
}

async function ifThere<T, U>(result: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await result;
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return otherwise;
    throw error;
  }
}

const TAIL_BYTES = 8 * 1024;

/** The last `count` lines that were written to `file` after it had `offset` bytes. */
export async function lastLines(file: string, offset: number, count: number): Promise<string[]> {
  const size = (await lstatIfThere(file))?.size ?? 0;
  // A file that is shorter than before has been rotated: all of it is new.
  const start = Math.max(size < offset ? 0 : offset, size - TAIL_BYTES);
  if (size === start) return [];
  const handle = await openRegular(file);
  if (handle === null) return [];
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
    return lines.filter((line) => line.trim() !== '').slice(-count);
  } finally {
    await handle.close();
  }
}

/** Writes `file` (mode 0600) so that a reader sees the old text or the new one, never a part. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(temporary, text, { mode: 0o600, flag: 'wx' });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
