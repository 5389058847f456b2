/** Files that agents name as outputs, stored under the hash of their bytes. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import type { ContentReference } from '../../contracts/tasks.ts';

const MAX_FILE_BYTES = 256 * 1024 * 1024;

/**
 * Copies a file into the store, where it never changes.
 * @throws SignalboxError `content_unreadable`, `body_too_large`
 */
export async function captureFile(directory: string, path: string): Promise<ContentReference> {
  if (!isAbsolute(path)) {
    throw new SignalboxError(
      'content_unreadable',
      `content_path ${JSON.stringify(path)} is relative: give an absolute path`,
    );
  }
  const info = await stat(path).catch((cause: unknown) => {
    throw new SignalboxError('content_unreadable', `content_path cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  });
  if (!info.isFile()) {
    throw new SignalboxError('content_unreadable', `content_path ${path} is not a regular file`);
  }
  if (info.size > MAX_FILE_BYTES) {
    throw new SignalboxError(
      'body_too_large',
      `content_path ${path} has ${info.size} bytes, the limit is ${MAX_FILE_BYTES}`,
    );
  }
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const temporary = join(directory, `.${randomUUID()}`);
  try {
    const { size, sha256 } = await copy(path, temporary);
    await rename(temporary, join(directory, sha256));
    return { path, size, sha256 };
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new SignalboxError(
      'content_unreadable',
      `content_path ${path} cannot be copied: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/** Hashes the bytes while copying, so that both agree even if the file changes meanwhile. */
async function copy(from: string, to: string): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256');
  const target = await open(to, 'wx', 0o600);
  let size = 0;
  try {
    for await (const chunk of createReadStream(from) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      size += chunk.length;
      await target.write(chunk);
    }
    await target.sync();
  } finally {
    await target.close();
  }
  return { size, sha256: hash.digest('hex') };
}
