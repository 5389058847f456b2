/** Reads the log in a thread of its own: the client, the socket and the hashes take as long as the machines and projections. */
import { on } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { Batch, HashedMessage } from '../engine/runtime/rebuild.ts';
import type { ReadAhead } from '../engine/runtime/recover.ts';
import { CODE_ROOT } from '../version.ts';
import type { NatsAddress } from './nats-address.ts';

export interface ThreadInput {
  readonly address: NatsAddress;
  readonly from: number;
  /** Batches that the thread may send ahead; each message to it allows one more. */
  readonly ahead: number;
}

/** A batch as the thread sends it: one buffer, transferred without a copy. */
export interface PackedBatch {
  readonly from: number;
  readonly bytes: ArrayBuffer;
  readonly ends: readonly number[];
  readonly hashes: readonly string[];
  readonly lastId: string;
}

const BATCHES_AHEAD = 4;
/** Starting the thread and its connection takes as long as reading so many events in place. */
const MIN_EVENTS = 20_000;

/** The compiled program of the thread; it does not exist when running from sources. */
const THREAD = join(CODE_ROOT, 'src/daemon/read-ahead-thread.js');

/** null if there is no program of the thread. */
export function threadFor(
  address: NatsAddress,
  logger: Logger,
  thread: string | null = existsSync(THREAD) ? THREAD : null,
): ReadAhead | null {
  if (!thread) return null;
  return {
    minEvents: MIN_EVENTS,
    read: (from) => readInThread(thread, { address, from, ahead: BATCHES_AHEAD }, logger),
  };
}

async function* readInThread(thread: string, input: ThreadInput, logger: Logger): AsyncIterable<Batch> {
  const worker = new Worker(thread, { workerData: input });
  try {
    for await (const [packed] of on(worker, 'message', { close: ['exit'] })) {
      yield unpacked(packed as PackedBatch);
      worker.postMessage('one more');
    }
  } catch (err) {
    logger.warn({ err }, 'could not read the log ahead; reading in place');
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
