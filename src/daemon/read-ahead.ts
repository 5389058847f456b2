/**
 * Reads the log in a thread of its own while this one folds it: the client, the socket and the hashes take as long as
 * the machines and projections do. RA1 and RA2 are in runtime/read-ahead.ts.
 */
import { on } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { Batch, HashedMessage } from '../engine/runtime/rebuild.ts';
import type { ReadAhead } from '../engine/runtime/recover.ts';
import type { NatsAddress } from './nats-address.ts';

export interface ThreadInput {
  readonly address: NatsAddress;
  readonly from: number;
  /** Batches that the thread may be ahead; each message to it allows one more. */
  readonly ahead: number;
}

/** A batch on its way from the thread: one buffer, which changes hands without a copy. */
export interface PackedBatch {
  readonly from: number;
  readonly bytes: ArrayBuffer;
  /** For each message, where it ends in the bytes. */
  readonly ends: readonly number[];
  readonly hashes: readonly string[];
  readonly lastId: string;
}

const BATCHES_AHEAD = 4;
/** To start the thread and its connection takes as long as to read so many events in place. */
const PAYS = 20_000;

/** Where the program was compiled to. Run from its sources it has no file that a thread could be started from. */
const THREAD = new URL('./read-ahead-thread.js', import.meta.url);

/** @param thread its program; null where it has none @returns null then */
export function threadFor(
  address: NatsAddress,
  logger: Logger,
  thread: URL | null = existsSync(fileURLToPath(THREAD)) ? THREAD : null,
): ReadAhead | null {
  if (!thread) return null;
  return {
    pays: PAYS,
    read: (from) => readInThread(thread, { address, from, ahead: BATCHES_AHEAD }, logger),
  };
}

async function* readInThread(thread: URL, input: ThreadInput, logger: Logger): AsyncIterable<Batch> {
  const worker = new Worker(thread, { workerData: input });
  try {
    for await (const [packed] of on(worker, 'message', { close: ['exit'] })) {
      yield unpacked(packed as PackedBatch);
      worker.postMessage('one more');
    }
  } catch (err) {
    logger.warn({ err }, 'the log cannot be read ahead: it is read in place');
  } finally {
    await worker.terminate();
  }
}

function unpacked({ from, bytes, ends, hashes, lastId }: PackedBatch): Batch {
  const messages: HashedMessage[] = hashes.map((hash, index) => {
    const start = index === 0 ? 0 : (ends[index - 1] ?? 0);
    return { sequence: from + index, bytes: new Uint8Array(bytes, start, (ends[index] ?? 0) - start), hash };
  });
  return { from, messages, lastId };
}
