/**
 * The files of an attempt's process, which the agent can reach too.
 *
 * R1 Only a regular file below the attempts' directory is read, whatever an agent has put in its place.
 */

import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { SignalboxError } from '../../contracts/errors.ts';
import type { AttemptRef } from '../../contracts/ids.ts';
import type { Needs } from '../context.ts';

/** Where its output is, and what was started. */
export function processDirectoryOf(
  { settings }: Needs<'settings.directories'>,
  { project, task, attempt }: AttemptRef,
): string {
  return join(settings.directories.attempts, project, task, String(attempt), 'process');
}

/** null where there is no such file. @throws SignalboxError `not_found` for what is not a file below `root` */
export async function openBelow(root: string, path: string): Promise<FileHandle | null> {
  const real = await realpath(path).catch(missing);
  if (real === null) return null;
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const isBelow = real.startsWith(`${await realpath(root)}${sep}`);
  const file = isBelow ? await open(real, flags).catch(missing) : null;
  if (file && (await file.stat()).isFile()) return file;
  await file?.close();
  throw new SignalboxError('not_found', 'the log of this attempt is no file in its directory any more');
}

function missing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ELOOP') return null;
  throw error;
}
