/** Files that agents name as outputs, stored under the hash of their bytes. */
import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, rm } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { renameDurably } from '../../base/files.ts';
import { createFresh, isOpenBelow, openRegular } from '../../base/regular-files.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import type { ContentReference } from '../../contracts/tasks.ts';

const MAX_FILE_BYTES = 256 * 1024 * 1024;
/** Of all files of a task together: an agent must not fill the disk with copies. */
const MAX_TASK_BYTES = 1024 * 1024 * 1024;
const PIECE_BYTES = 256 * 1024;
/** What no directory of an agent makes readable, however high it lies. */
const SYSTEM_DIRECTORIES = ['/proc', '/sys', '/dev'];

export interface CapturePlaces {
  /** Where the copies are kept. */
  readonly store: string;
  /** The directories of the attempts and the working directory of the agent: only files below them are taken. */
  readonly allowed: readonly string[];
  /** The data directory of Signalbox. */
  readonly data: string;
  /** Bytes of the files that the task has already. */
  readonly heldBytes: number;
}

/**
 * Copies a file into the store, where it never changes. The file is opened once, and everything is checked on what was
 * opened: the agent can exchange the file at any time.
 * @throws SignalboxError `content_unreadable`, `body_too_large`
 */
export async function captureFile(places: CapturePlaces, path: string): Promise<ContentReference> {
  if (!isAbsolute(path)) {
    throw unreadable(`content_path ${JSON.stringify(path)} is relative: give an absolute path`);
  }
  const file = await openRegular(path).catch((cause: unknown) => {
    throw unreadable(`content_path cannot be read: ${messageOf(cause)}`, cause);
  });
  if (file === null) throw unreadable(`content_path cannot be read: there is no file ${path}`);
  try {
    await assertAllowed(file, path, places);
    return await store(file, path, places);
  } finally {
    await file.close();
  }
}

async function assertAllowed(
  file: FileHandle,
  path: string,
  { allowed, data, heldBytes }: CapturePlaces,
): Promise<void> {
  if (!(await isOpenBelow(file, path, { allowed, refused: [...SYSTEM_DIRECTORIES, data] }))) {
    throw unreadable(
      `content_path ${path} is not in the working directory of the attempt: copy the file there, below ${allowed.at(-1)}`,
    );
  }
  const { size } = await file.stat();
  if (size > MAX_FILE_BYTES) {
    throw new SignalboxError(
      'body_too_large',
      `content_path ${path} has ${size} bytes, the limit is ${MAX_FILE_BYTES}`,
    );
  }
  if (heldBytes + size > MAX_TASK_BYTES) {
    throw new SignalboxError(
      'body_too_large',
      `content_path ${path} has ${size} bytes and the task has files of ${heldBytes} bytes already, the limit for both together is ${MAX_TASK_BYTES}`,
    );
  }
}

async function store(
  file: FileHandle,
  path: string,
  { store: directory }: CapturePlaces,
): Promise<ContentReference> {
  const temporary = join(directory, `.${randomUUID()}`);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const { size, sha256 } = await copy(file, temporary);
    await renameDurably(temporary, join(directory, sha256));
    return { path, size, sha256 };
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {});
    throw unreadable(`content_path ${path} cannot be copied: ${messageOf(cause)}`, cause);
  }
}

/** Hashes the bytes while copying, so that both agree even if the file changes meanwhile. */
async function copy(source: FileHandle, to: string): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256');
  const target = await createFresh(to);
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  let size = 0;
  try {
    for (;;) {
      const { bytesRead } = await source.read(buffer, 0, buffer.length, size);
      if (bytesRead === 0) break;
      size += bytesRead;
      if (size > MAX_FILE_BYTES) throw new Error(`it grows beyond the limit of ${MAX_FILE_BYTES} bytes`);
      hash.update(buffer.subarray(0, bytesRead));
      await target.writeFile(buffer.subarray(0, bytesRead));
    }
    await target.sync();
  } finally {
    await target.close();
  }
  return { size, sha256: hash.digest('hex') };
}

function unreadable(message: string, cause?: unknown): SignalboxError {
  return new SignalboxError('content_unreadable', message, { cause });
}
