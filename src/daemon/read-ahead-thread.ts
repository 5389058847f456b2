/** The program of the thread of read-ahead.ts: reads messages, hashes them, and sends them in batches. */
import { parentPort, workerData } from 'node:worker_threads';
import { deferred } from '../base/deferred.ts';
import { sha256 } from '../base/hash.ts';
import { SignalboxError } from '../contracts/errors.ts';
import { openLogReader } from '../journal/jetstream/jetstream-reader.ts';
import type { StoredMessage } from '../journal/journal.ts';
import { connectTo } from './nats-address.ts';
import type { PackedBatch, ThreadInput } from './read-ahead.ts';

/** A batch is full with either: some milliseconds of work for the receiver. */
const MAX_MESSAGES = 512;
const MAX_BYTES = 1_048_576;

const port = parentPort;
if (!port) throw new SignalboxError('internal', 'this is the program of a thread');
const { address, from, ahead } = workerData as ThreadInput;

let allowed = ahead;
let more = deferred();
port.on('message', () => {
  allowed++;
  more.resolve();
});

async function handOver(messages: readonly StoredMessage[]): Promise<void> {
  const [first] = messages;
  const last = messages.at(-1);
  if (!first || !last) return;
  while (allowed === 0) {
    await more.promise;
    more = deferred();
  }
  allowed--;
  const bytes = new Uint8Array(messages.reduce((sum, message) => sum + message.bytes.length, 0));
  const ends: number[] = [];
  const hashes: string[] = [];
  let end = 0;
  for (const message of messages) {
    bytes.set(message.bytes, end);
    end += message.bytes.length;
    ends.push(end);
    hashes.push(sha256(message.bytes));
  }
  const packed: PackedBatch = { from: first.sequence, bytes: bytes.buffer, ends, hashes, lastId: last.id };
  port?.postMessage(packed, [packed.bytes]);
}

const connection = await connectTo(address);
try {
  const reader = await openLogReader(connection);
  let batch: StoredMessage[] = [];
  let size = 0;
  for await (const message of reader.readPresent({ from })) {
    const isNext = message.sequence === (batch.at(-1)?.sequence ?? message.sequence - 1) + 1;
    if (!isNext || batch.length === MAX_MESSAGES || size >= MAX_BYTES) {
      await handOver(batch);
      batch = [];
      size = 0;
    }
    batch.push(message);
    size += message.bytes.length;
  }
  await handOver(batch);
} finally {
  await connection.close();
  port.close();
}
