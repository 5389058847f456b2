/** The end of a text file. */
import { open } from 'node:fs/promises';
import { hasCode } from '../../contracts/errors.ts';

/**
 * The end of a text file that may still grow: at most `maxBytes`, cut between characters; bytes that are not UTF-8
 * become U+FFFD. A missing file reads as empty. If an output file was rotated, its older part is read too.
 */
export async function tailOf(file: string, maxBytes: number): Promise<string> {
  const newer = await lastBytes(file, maxBytes);
  const older = newer.length < maxBytes ? await lastBytes(`${file}.1`, maxBytes - newer.length) : undefined;
  const bytes = older === undefined || older.length === 0 ? newer : Buffer.concat([older, newer]);
  const start = bytes.length < maxBytes ? 0 : firstCharacter(bytes);
  // "stream" leaves out a character at the end whose last bytes are not written yet.
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(start), { stream: true });
}

async function lastBytes(file: string, maxBytes: number): Promise<Buffer> {
  try {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      const buffer = Buffer.alloc(Math.min(size, maxBytes));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, size - buffer.length);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return Buffer.alloc(0);
    throw error;
  }
}

/** A character takes up to four bytes; all but its first have the form 10xxxxxx. */
function firstCharacter(bytes: Buffer): number {
  const isContinuation = (index: number) => ((bytes[index] ?? 0) & 0xc0) === 0x80;
  let index = 0;
  while (index < 3 && isContinuation(index)) index += 1;
  return index;
}
