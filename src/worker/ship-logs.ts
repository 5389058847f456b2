/** Sends the output of an attempt's process while it runs. */
import { join } from 'node:path';
import { openRegular } from '../base/regular-files.ts';
import { LOG_STREAMS, type LogStream } from '../contracts/tasks.ts';

export type SendPiece = (stream: LogStream, offset: number, bytes: Uint8Array) => Promise<void>;

const POLL_MS = 500;
const PIECE_BYTES = 256 * 1_024;
/** Of each stream, since Signalbox keeps no more. */
const MAX_BYTES = 10_485_760;

interface Position {
  readonly stream: LogStream;
  /** Bytes that were sent. */
  sent: number;
  /** Offset of the next ones in the file, which is emptied when it becomes too large. */
  inFile: number;
}

export interface Shipping {
  /** Sends what is left. Call it when the process has ended. */
  finish(): Promise<void>;
}

/** @param directory of the process */
export function shipLogs(directory: string, send: SendPiece): Shipping {
  const positions = LOG_STREAMS.map((stream): Position => ({ stream, sent: 0, inFile: 0 }));
  let last: Promise<void> = Promise.resolve();
  const poll = (): Promise<void> => {
    last = last.then(async () => {
      for (const position of positions) await sendNew(directory, position, send);
    });
    return last;
  };
  // Polls never overlap: one that takes long because the connection is broken delays the next.
  let isBusy = false;
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    poll()
      .catch(() => {})
      .finally(() => {
        isBusy = false;
      });
  }, POLL_MS);
  return {
    finish: async () => {
      clearInterval(timer);
      await last.catch(() => {});
      last = Promise.resolve();
      await poll();
    },
  };
}

async function sendNew(directory: string, position: Position, send: SendPiece): Promise<void> {
  const file = await openRegular(join(directory, `${position.stream}.log`)).catch(() => null);
  if (file === null) return;
  try {
    const { size } = await file.stat();
    if (size < position.inFile) position.inFile = 0;
    while (position.inFile < size && position.sent < MAX_BYTES) {
      const length = Math.min(PIECE_BYTES, size - position.inFile, MAX_BYTES - position.sent);
      const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position.inFile);
      if (bytesRead === 0) return;
      await send(position.stream, position.sent, buffer.subarray(0, bytesRead));
      position.inFile += bytesRead;
      position.sent += bytesRead;
    }
  } finally {
    await file.close();
  }
}
