/**
 * BullMQ on a local redis-server, on the work of the bench: `node bullmq.mjs '{"port":…,"lives":…,"inFlight":…,"bytes":…}'`
 * adds jobs in a closed loop and runs them with one worker of the same process. Prints a line of JSON.
 */
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

const { port, lives, inFlight, bytes } = JSON.parse(process.argv[2] ?? '{}');
const options = { port, host: '127.0.0.1', maxRetriesPerRequest: null };
const queue = new Queue('bench', { connection: new Redis(options) });
const worker = new Worker('bench', async () => 'result', {
  connection: new Redis(options),
  concurrency: inFlight,
  removeOnComplete: { count: 0 },
});
await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
const data = { title: 'a task of the bench', description: 'x'.repeat(bytes) };

/** @param {number} count */
function run(count) {
  return new Promise((resolve) => {
    let added = 0;
    let done = 0;
    const refill = () => {
      while (added < count && added - done < inFlight) {
        added++;
        void queue.add('task', data);
      }
    };
    const onCompleted = () => {
      done++;
      if (done < count) return refill();
      worker.off('completed', onCompleted);
      resolve(undefined);
    };
    worker.on('completed', onCompleted);
    refill();
  });
}

await run(lives / 4);
const cpu = process.cpuUsage();
const start = performance.now();
await run(lives);
const seconds = (performance.now() - start) / 1_000;
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ livesPerSecond: lives / seconds, cpuMicros: (user + system) / lives }));
await worker.close();
await queue.close();
process.exit(0);
