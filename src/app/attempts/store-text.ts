/** Results that are too large for an event, stored under the hash of their bytes. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../base/hash.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import type { ContentReference } from '../../contracts/tasks.ts';
import type { LargeContent } from '../../engine/supervisor/attempt-ends.ts';

/** Content up to this size is in the event of its output, if that may be so large. */
const MAX_INLINE_BYTES = 256 * 1_024;

/** @param directory of content files */
export function largeContentIn(directory: string, maxEventBytes: number): LargeContent {
  return {
    // JSON may take several bytes for one.
    inlineBytes: Math.min(MAX_INLINE_BYTES, Math.floor(maxEventBytes / 4)),
    store: (text) => storeText(directory, text),
  };
}

/**
 * @param directory of content files
 * @throws SignalboxError `content_unreadable` if it cannot be written
 */
async function storeText(directory: string, text: string): Promise<ContentReference> {
  const bytes = Buffer.from(text);
  const hash = sha256(bytes);
  const path = join(directory, hash);
  const temporary = join(directory, `.${randomUUID()}`);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {
      // The first error tells more.
    });
    const message = `a result of ${bytes.length} bytes cannot be stored in ${directory}: ${messageOf(cause)}`;
    throw new SignalboxError('content_unreadable', message, { cause });
  }
  return { path, size: bytes.length, sha256: hash };
}
