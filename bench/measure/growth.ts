/** How the cost of a task grows with the number of tasks, agents, events and subscribers. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Engine } from '../../src/app/engine/engine.ts';
import { createTask } from '../../src/app/tasks/create-task.ts';
import {
  type BenchEngineSettings,
  openBenchEngine,
  PROJECT,
  request,
  runLifecycles,
} from '../support/engine.ts';
import type { Figure } from '../support/figure.ts';
import { type Curve, plot } from '../support/plot.ts';
import { serveEngine } from '../support/serve.ts';
import { startBenchServer } from '../support/server.ts';

const LIFECYCLES = 4_000;
const IN_FLIGHT = 256;
const WAITING_TASKS = [0, 10_000, 25_000, 50_000];
const AGENTS = [1, 10, 50, 100];
const EVENTS = [30_000, 60_000, 120_000, 240_000];
const SUBSCRIBERS = [0, 50, 100, 250];
const A_DAY_S = 86_400;

/** @param directory for the curves as SVG; without it, none are drawn */
export async function growth(directory: string | undefined): Promise<Figure[]> {
  const curves: Readonly<Record<string, Curve>> = {
    tasks: await overTasks(),
    agents: await overAgents(),
    events: await overEvents(),
    subscribers: await overSubscribers(),
  };
  if (directory !== undefined) {
    await mkdir(directory, { recursive: true });
    for (const [name, curve] of Object.entries(curves)) {
      await writeFile(join(directory, `${name}.svg`), plot(curve));
    }
  }
  return Object.entries(curves).flatMap(([name, { points, x, y }]) =>
    points.map((point) => ({ key: `${name}_${point.x}`, value: point.y, goal: null, note: `${y}, ${x}` })),
  );
}

async function overTasks(): Promise<Curve> {
  const points = await withEngine({}, async (engine) => {
    const measured = [];
    let waiting = 0;
    for (const x of WAITING_TASKS) {
      for (; waiting < x; waiting += 500) {
        await Promise.all(
          Array.from({ length: 500 }, () =>
            createTask(engine.app, PROJECT, request({ delay_seconds: A_DAY_S }), {
              actor: 'user:bench',
              attempt: null,
            }),
          ),
        );
      }
      measured.push({ x, y: await costOf(engine) });
    }
    return measured;
  });
  return {
    title: 'Cost of a task by waiting tasks',
    x: 'waiting tasks',
    y: 'µs per task',
    points,
  };
}

async function overAgents(): Promise<Curve> {
  const points = [];
  for (const x of AGENTS) {
    points.push({ x, y: await withEngine({ agents: x, concurrency: Math.ceil(IN_FLIGHT / x) }, costOf) });
  }
  return {
    title: 'Cost of a task by agents',
    x: 'agents that share tasks by type',
    y: 'µs per task',
    points,
  };
}

async function overEvents(): Promise<Curve> {
  const server = await startBenchServer();
  const points = [];
  try {
    let events = 0;
    for (const x of EVENTS) {
      const writer = await openBenchEngine(await server.connect(), server.directory, IN_FLIGHT);
      await runLifecycles(writer, Math.ceil((x - events) / 6), IN_FLIGHT);
      events = x;
      await writer.stop('long enough');
      const connection = await server.connect();
      const start = performance.now();
      const reader = await openBenchEngine(connection, server.directory, IN_FLIGHT);
      points.push({ x, y: (performance.now() - start) / 1_000 });
      await reader.stop('measured');
    }
  } finally {
    await server.stop();
  }
  return { title: 'Start without a snapshot', x: 'events in the log', y: 'seconds', points };
}

async function overSubscribers(): Promise<Curve> {
  const points = [];
  for (const x of SUBSCRIBERS)
    points.push({ x, y: await withEngine({}, (engine) => followedCost(engine, x)) });
  return {
    title: 'Cost of a task by following clients',
    x: 'clients with server-sent events, one event per task each',
    y: 'µs per task',
    points,
  };
}

/** Microseconds for one task through all its states, with others in flight. */
async function costOf(engine: Engine): Promise<number> {
  await runLifecycles(engine, LIFECYCLES / 4, IN_FLIGHT);
  return ((await runLifecycles(engine, LIFECYCLES, IN_FLIGHT)) / LIFECYCLES) * 1_000_000;
}

async function followedCost(engine: Engine, count: number): Promise<number> {
  if (count === 0) return costOf(engine);
  const server = await serveEngine(engine);
  const program = fileURLToPath(new URL('../support/sse-clients.js', import.meta.url));
  const clients = fork(program, [String(server.port), String(count), '/api/events?type=task.approved']);
  try {
    await once(clients, 'message');
    return await costOf(engine);
  } finally {
    clients.kill();
    await server.close();
  }
}

async function withEngine<Result>(
  settings: BenchEngineSettings & { readonly concurrency?: number },
  measure: (engine: Engine) => Promise<Result>,
): Promise<Result> {
  const server = await startBenchServer();
  try {
    const { concurrency = IN_FLIGHT } = settings;
    const engine = await openBenchEngine(await server.connect(), server.directory, concurrency, settings);
    const result = await measure(engine);
    await engine.stop('measured');
    return result;
  } finally {
    await server.stop();
  }
}
