/** Many clients that follow the events over HTTP while tasks run: the memory they cost, and the delay of the event loop. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import type { Engine } from '../../src/app/engine/engine.ts';
import { createTask } from '../../src/app/tasks/create-task.ts';
import { openBenchEngine, PROJECT, request } from '../support/engine.ts';
import { atMost, type Figure, shown } from '../support/figure.ts';
import { serveEngine } from '../support/serve.ts';
import { startBenchServer } from '../support/server.ts';
import type { SseReport } from '../support/sse-clients.ts';

const AT_ONCE = 256;
const CLIENTS = 500;
const TASKS_PER_SECOND = 1_000;
const SECONDS = 5;
const TASKS = TASKS_PER_SECOND * SECONDS;
const TICK_MS = 10;
const MEGABYTE = 1_048_576;
/** One event of each task, for each client: half a million a second. */
const PATH = '/api/events?type=task.approved';

export async function sse(): Promise<Figure[]> {
  const server = await startBenchServer();
  try {
    const engine = await openBenchEngine(await server.connect(), server.directory, AT_ONCE);
    const figures = await follow(engine);
    await engine.stop('the bench is over');
    return figures;
  } finally {
    await server.stop();
  }
}

async function follow(engine: Engine): Promise<Figure[]> {
  const alone = await grownBy(() => runTasks(engine));
  const server = await serveEngine(engine);
  const program = fileURLToPath(new URL('../support/sse-clients.js', import.meta.url));
  const clients = fork(program, [String(server.port), String(CLIENTS), PATH]);
  try {
    await once(clients, 'message');
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const begun = performance.now();
    const followed = await grownBy(() => runTasks(engine));
    clients.send({ expect: TASKS });
    const [report] = (await once(clients, 'message')) as [SseReport];
    const seconds = (performance.now() - begun) / 1_000;
    delay.disable();
    const rate = shown(TASKS / seconds);
    return [
      {
        key: 'sse_events_per_s',
        value: report.events / seconds,
        goal: null,
        note: `${CLIENTS} clients, one event per task each, at ${rate} tasks/s`,
      },
      {
        key: 'sse_faults',
        value: report.faults + report.behind,
        goal: atMost(0),
        note: 'missing, duplicated or out of order',
      },
      {
        key: 'sse_memory_mb',
        value: (followed - alone) / MEGABYTE,
        goal: atMost(120),
        note: 'more than the same tasks need without clients',
      },
      {
        key: 'sse_loop_p99_ms',
        value: delay.percentile(99) / 1e6,
        goal: atMost(100),
        note: 'delay of the event loop meanwhile',
      },
    ];
  } finally {
    clients.kill();
    await server.close();
  }
}

/** Bytes by which the process has grown after `work`. */
async function grownBy(work: () => Promise<void>): Promise<number> {
  const resident = (): number => {
    globalThis.gc?.();
    return process.memoryUsage().rss;
  };
  const before = resident();
  await work();
  return resident() - before;
}

/** Creates tasks at a steady rate, and ends when all are done. */
async function runTasks(engine: Engine): Promise<void> {
  const begun = performance.now();
  let created = 0;
  await new Promise<void>((resolve) => {
    let done = 0;
    const stop = engine.app.log.onRecord(({ event }) => {
      if (event.type !== 'task.approved' || ++done < TASKS) return;
      stop();
      resolve();
    });
    const timer = setInterval(() => {
      const due = Math.min(TASKS, Math.floor(((performance.now() - begun) / 1_000) * TASKS_PER_SECOND));
      for (; created < due; created++)
        void createTask(engine.app, PROJECT, request(), { actor: 'user:bench', attempt: null });
      if (created === TASKS) clearInterval(timer);
    }, TICK_MS);
  });
}
