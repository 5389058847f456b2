/** A whole Signalbox for the bench, in a process of its own: `node whole-child.js <data directory>`. */
import { pino } from 'pino';
import { releaseMemoryWhenQuiet } from '../../src/cli/up/quiet-memory.ts';
import { createSignalbox } from '../../src/index.ts';

const [, , dataDirectory = ''] = process.argv;
const begun = performance.timeOrigin;
// As "signalbox up" does.
releaseMemoryWhenQuiet(pino({ level: 'silent' }));
const signalbox = await createSignalbox({
  config: {
    data_dir: dataDirectory,
    agents: { worker: { driver: 'function', concurrency: 4, review: 'auto' } },
    limits: { queue_depth: 1_000_000 },
    server: { port: 0 },
  },
  http: true,
  functions: {
    worker: () => {
      process.send?.({ kind: 'started', afterMs: Date.now() - begun });
      return new Promise<string>(() => {});
    },
  },
});
const afterMs = Date.now() - begun;
process.send?.({ kind: 'ready', afterMs, natsPid: (await signalbox.readHealth()).nats.pid });
process.on('message', async ({ count, delaySeconds }: { count: number; delaySeconds: number }) => {
  for (let created = 0; created < count; created += 500) {
    const batch = Array.from({ length: Math.min(500, count - created) }, () =>
      signalbox.createTask({
        project: 'bench',
        title: 'a task',
        agent: 'worker',
        delay_seconds: delaySeconds,
      }),
    );
    await Promise.all(batch);
  }
  process.send?.({ kind: 'created' });
});
