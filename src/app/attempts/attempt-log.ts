/** Files of the processes of attempts, and what they have printed. */
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { NotRegularError, openRegular } from '../../base/regular-files.ts';
import type { ReadLog } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { AttemptRef } from '../../contracts/ids.ts';
import type { AppContext, Needs } from '../context.ts';
import { findAttempt } from './attempts.ts';

/** The directory with the output of the process of an attempt, and the command that was started. */
export function processDirectoryOf(
  { settings }: Needs<'settings.directories'>,
  { project, task, attempt }: AttemptRef,
): string {
  return join(settings.directories.attempts, project, task, String(attempt), 'process');
}

/**
 * Opens a file of an attempt: agents can replace files in their directory by links or other things.
 * @returns null if there is no such file
 * @throws SignalboxError `not_found` if it is no regular file in the directory of the attempts
 */
export async function openOwnFile(
  { settings }: Needs<'settings.directories'>,
  path: string,
): Promise<FileHandle | null> {
  try {
    return await openRegular(path, { below: settings.directories.attempts });
  } catch (cause) {
    if (!(cause instanceof NotRegularError)) throw cause;
    const message = 'the log of this attempt is not a file in its directory any more';
    throw new SignalboxError('not_found', message, { cause });
  }
}

export interface LogPart {
  readonly bytes: Uint8Array;
  /** Offset of the part; not the requested one if Signalbox has dropped that part of the log. */
  readonly offset: number;
  readonly nextOffset: number;
  /** Whether nothing follows this part, now or later. */
  readonly isComplete: boolean;
}

const MAX_PART_BYTES = 256 * 1_024;

/**
 * A part of what the process of an attempt has printed. It never ends within a character, and is empty if there is no
 * output (yet).
 * @throws SignalboxError `task_not_found`, `not_found`
 */
export async function readAttemptLog(
  app: AppContext,
  ref: AttemptRef,
  { stream, offset }: ReadLog,
): Promise<LogPart> {
  // Before the file is read: if the attempt is over now, nothing follows what is read.
  const isOver = (await findAttempt(app, ref)).endedAt !== null;
  const directory = processDirectoryOf(app, ref);
  const file = await openOwnFile(app, join(directory, `${stream}.log`));
  if (!file) return { bytes: new Uint8Array(), offset: 0, nextOffset: 0, isComplete: isOver };
  try {
    return await readPart(file, offset, isOver);
  } finally {
    await file.close();
  }
}

async function readPart(file: FileHandle, wanted: number, isOver: boolean): Promise<LogPart> {
  const { size } = await file.stat();
  // The file is kept below a maximum size, so it may be shorter than before.
  const offset = wanted > size ? 0 : wanted;
  const buffer = Buffer.alloc(Math.min(MAX_PART_BYTES, size - offset));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
  const isEnd = offset + bytesRead >= size;
  const read = buffer.subarray(0, bytesRead);
  const bytes = isEnd && isOver ? read : read.subarray(0, wholeCharacters(read));
  return { bytes, offset, nextOffset: offset + bytes.length, isComplete: isEnd && isOver };
}

/** The length without an incomplete UTF-8 character at the end. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const length = byte >= 0b1111_0000 ? 4 : byte >= 0b1110_0000 ? 3 : byte >= 0b1100_0000 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
