/** What the processes of remote attempts print, kept where the output of local ones is. */
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { SignalboxError } from '../contracts/errors.ts';
import type { LogStream } from '../contracts/tasks.ts';

/** Bytes that are kept of each stream of an attempt. */
const MAX_LOG_BYTES = 10_485_760;

export interface LogPiece {
  readonly stream: LogStream;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * Writes a piece where it belongs: written again, it changes nothing. A piece beyond the end goes to the end, because what
 * is missing before it was dropped by its worker.
 * @param directory of the attempt
 * @throws SignalboxError `body_too_large` for what is above the cap
 */
export async function writeLogPiece(directory: string, { stream, offset, bytes }: LogPiece): Promise<void> {
  if (offset + bytes.length > MAX_LOG_BYTES) {
    throw new SignalboxError(
      'body_too_large',
      `${stream}: the first ${MAX_LOG_BYTES} bytes are kept, and no more`,
    );
  }
  const processDirectory = join(directory, 'process');
  await mkdir(processDirectory, { recursive: true, mode: 0o700 });
  const path = join(processDirectory, `${stream}.log`);
  const file = await open(path, 'r+', 0o600).catch(() => open(path, 'w+', 0o600));
  try {
    const { size } = await file.stat();
    await file.write(bytes, 0, bytes.length, Math.min(offset, size));
  } finally {
    await file.close();
  }
}
