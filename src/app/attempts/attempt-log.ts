/**
 * What the process of an attempt has printed, as it is kept in the attempt's directory.
 *
 * R2 Whether the attempt is over is looked at before its file: if it was, nothing comes after what is read.
 */
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReadLog } from '../../contracts/api/requests.ts';
import type { ProjectId, TaskId } from '../../contracts/ids.ts';
import type { AppContext } from '../context.ts';
import { openBelow, processDirectoryOf } from './attempt-files.ts';
import { findAttempt } from './attempts.ts';

export interface LogPart {
  readonly bytes: Uint8Array;
  /** Where the part begins: not where it was asked for if Signalbox has dropped what stood there. */
  readonly offset: number;
  /** Where the next part begins. */
  readonly nextOffset: number;
  /** Whether there is nothing after this part, and nothing will be. */
  readonly isComplete: boolean;
}

const MAX_PART_BYTES = 256 * 1_024;

/**
 * A part of the log, which does not end within a character. Empty where nothing was printed, or nothing yet.
 * @throws SignalboxError `task_not_found`, `not_found`
 */
export async function readAttemptLog(
  app: AppContext,
  project: ProjectId,
  task: TaskId,
  number: number,
  { stream, offset }: ReadLog,
): Promise<LogPart> {
  const isOver = (await findAttempt(app, project, task, number)).endedAt !== null;
  const directory = processDirectoryOf(app, { project, task, attempt: number });
  const file = await openBelow(app.settings.directories.attempts, join(directory, `${stream}.log`));
  if (!file) return { bytes: new Uint8Array(), offset: 0, nextOffset: 0, isComplete: isOver };
  try {
    return await readPart(file, offset, isOver);
  } finally {
    await file.close();
  }
}

async function readPart(file: FileHandle, wanted: number, isOver: boolean): Promise<LogPart> {
  const { size } = await file.stat();
  // The file is kept below a cap: it may have become shorter than it was.
  const offset = wanted > size ? 0 : wanted;
  const buffer = Buffer.alloc(Math.min(MAX_PART_BYTES, size - offset));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
  const isEnd = offset + bytesRead >= size;
  const read = buffer.subarray(0, bytesRead);
  const bytes = isEnd && isOver ? read : read.subarray(0, wholeCharacters(read));
  return { bytes, offset, nextOffset: offset + bytes.length, isComplete: isEnd && isOver };
}

/** The length without the character of which the last bytes are only the beginning (UTF-8). */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const length = byte >= 0b1111_0000 ? 4 : byte >= 0b1110_0000 ? 3 : byte >= 0b1100_0000 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
