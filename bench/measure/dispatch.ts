/** Time from the request to the start of the handler, on an idle engine. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createTask } from '../../src/app/tasks/create-task.ts';
import { openBenchEngine, PROJECT, request } from '../support/engine.ts';
import { atMost, type Figure, percentile } from '../support/figure.ts';
import { startBenchServer } from '../support/server.ts';

const TASKS = 500;
const WARM_UP = 200;
const PAUSE_MS = 10;

export async function dispatch(): Promise<Figure[]> {
  const server = await startBenchServer();
  try {
    let onStart: (at: number) => void = () => {};
    const engine = await openBenchEngine(await server.connect(), server.directory, 16, {
      handler: () => {
        onStart(performance.now());
        return 'result';
      },
    });
    const delays: number[] = [];
    for (let task = 0; task < WARM_UP + TASKS; task++) {
      const started = new Promise<number>((resolve) => {
        onStart = resolve;
      });
      const submitted = performance.now();
      const pause = sleep(PAUSE_MS);
      await createTask(engine.app, PROJECT, request(), { actor: 'user:bench', attempt: null });
      const delay = (await started) - submitted;
      if (task >= WARM_UP) delays.push(delay);
      await pause;
    }
    await engine.stop('the bench is over');
    const note = `from submission to handler start, one task every ${PAUSE_MS} ms, ${TASKS} tasks`;
    return [
      { key: 'dispatch_p50_ms', value: percentile(delays, 0.5), goal: atMost(0.6), note },
      { key: 'dispatch_p99_ms', value: percentile(delays, 0.99), goal: atMost(2.5), note },
    ];
  } finally {
    await server.stop();
  }
}
