/** Time from the request to the start of the handler, on an idle engine. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createTask } from '../../src/app/tasks/create-task.ts';
import { BarePublishes } from '../support/append.ts';
import { openBenchEngine, PROJECT, request } from '../support/engine.ts';
import { atMost, type Figure, percentile, shown } from '../support/figure.ts';
import { startBenchServer } from '../support/server.ts';

const TASKS = 500;
const WARM_UP = 200;
const PAUSE_MS = 10;
/** Of the publish that the time is compared with. */
const BARE_BYTES = 900;

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
    const bare = await BarePublishes.open(await server.connect(), BARE_BYTES);
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
      if (task < WARM_UP) continue;
      await bare.measure();
      await sleep(PAUSE_MS);
    }
    await bare.close();
    await engine.stop('the bench is over');
    const note = `from submission to handler start, one task every ${PAUSE_MS} ms, ${TASKS} tasks`;
    return [
      { key: 'dispatch_p50_ms', value: percentile(delays, 0.5), goal: null, note },
      { key: 'dispatch_p99_ms', value: percentile(delays, 0.99), goal: null, note },
      {
        key: 'dispatch_ratio',
        value: percentile(delays, 0.5) / percentile(bare.times, 0.5),
        goal: atMost(1.3),
        note: `p50 over that of one bare acknowledged publish in between (${shown(percentile(bare.times, 0.5))} ms)`,
      },
    ];
  } finally {
    await server.stop();
  }
}
