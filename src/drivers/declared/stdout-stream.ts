/** The standard output that is left of a process, from its beginning: in pieces, so that no size of it matters. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../../contracts/errors.ts';

const PIECE_BYTES = 64 * 1_024;
const NEW_LINE = Buffer.from('\n');

/**
 * Pieces of what the output files hold (output-file.ts): where the file was rotated its first bytes, then the newest
 * part. A line break stands where something is missing between them, so that no two lines become one.
 */
export async function* stdoutOf(directory: string): AsyncIterable<Buffer> {
  const file = join(directory, 'stdout.log');
  if (await exists(`${file}.head`)) {
    yield* piecesOf(`${file}.head`);
    yield NEW_LINE;
    yield* piecesOf(`${file}.1`);
  }
  yield* piecesOf(file);
}

async function* piecesOf(file: string): AsyncIterable<Buffer> {
  try {
    for await (const piece of createReadStream(file, { highWaterMark: PIECE_BYTES })) yield piece as Buffer;
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => null)) !== null;
}
