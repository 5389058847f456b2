/** Results that are too large for an event, stored under the hash of their bytes. */
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceDurably } from '../../base/files.ts';
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
  const hash = sha256(text);
  const size = Buffer.byteLength(text);
  const path = join(directory, hash);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await replaceDurably(path, text, randomUUID());
  } catch (cause) {
    const message = `a result of ${size} bytes cannot be stored in ${directory}: ${messageOf(cause)}`;
    throw new SignalboxError('content_unreadable', message, { cause });
  }
  return { path, size, sha256: hash };
}
