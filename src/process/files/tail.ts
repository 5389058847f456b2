/** The end of a text file. */
import { lastBytes, NotRegularError } from '../../base/regular-files.ts';

/**
 * The end of a text file that may still grow: at most `maxBytes`, cut between characters; bytes that are not UTF-8
 * become U+FFFD. A missing file reads as empty, and so does what its process has put in its place. If an output file was
 * rotated, its older part is read too.
 */
export async function tailOf(file: string, maxBytes: number): Promise<string> {
  const newer = await endOf(file, maxBytes);
  const older = newer.length < maxBytes ? await endOf(`${file}.1`, maxBytes - newer.length) : undefined;
  const bytes = older === undefined || older.length === 0 ? newer : Buffer.concat([older, newer]);
  const start = bytes.length < maxBytes ? 0 : firstCharacter(bytes);
  // "stream" leaves out a character at the end whose last bytes are not written yet.
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(start), { stream: true });
}

async function endOf(file: string, maxBytes: number): Promise<Buffer> {
  try {
    return await lastBytes(file, maxBytes);
  } catch (error) {
    if (error instanceof NotRegularError) return Buffer.alloc(0);
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
