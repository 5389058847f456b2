/** The rate of starting, watching and reaping processes with captured output, and the delay of the event loop meanwhile. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { createProcessRunner } from '../../src/process/host-runner.ts';
import type { ProcessRunner } from '../../src/process/runner.ts';
import { atLeast, atMost, type Figure } from '../support/figure.ts';

const AT_ONCE = 32;
const COUNT = 600;
const STEADY_PER_SECOND = 50;
const STEADY_SECONDS = 8;

export async function spawns(): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-bench-spawn-'));
  const runner = createProcessRunner({ log: pino({ level: 'warn' }) });
  let started = 0;
  const run = async (reap: boolean): Promise<void> => {
    const name = String(started++);
    const process = await spawn(runner, directory, name);
    await process.exited;
    if (reap) await process.kill({ graceMs: 1_000 });
  };
  try {
    // The first processes are started without the launch shell, until it is known to work.
    for (let warm = 0; warm < AT_ONCE; warm++) await run(false);
    const start = performance.now();
    let left = COUNT;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (left-- > 0) await run(false);
      }),
    );
    const perSecond = COUNT / ((performance.now() - start) / 1_000);
    const loopDelay = await steadyDelay(() => run(true));
    return [
      {
        key: 'spawns_per_s',
        value: perSecond,
        goal: atLeast(300),
        note: `started, watched and reaped with their output captured, ${AT_ONCE} at once`,
      },
      {
        key: 'loop_delay_p99_ms',
        value: loopDelay,
        goal: atMost(50),
        note: `while starting ${STEADY_PER_SECOND} processes per second and searching for what they left behind`,
      },
    ];
  } finally {
    runner.close();
    await rm(directory, { recursive: true, force: true });
  }
}

function spawn(runner: ProcessRunner, directory: string, name: string): ReturnType<ProcessRunner['spawn']> {
  return runner.spawn({
    directory: join(directory, name),
    command: ['sh', '-c', 'echo output'],
    cwd: directory,
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
    marker: `bench:${process.pid}/${name}`,
    maxOutputBytes: 1_000_000,
  });
}

async function steadyDelay(run: () => Promise<void>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  const running: Promise<void>[] = [];
  delay.enable();
  for (let tick = 0; tick < STEADY_PER_SECOND * STEADY_SECONDS; tick++) {
    running.push(run());
    await sleep(1_000 / STEADY_PER_SECOND);
  }
  await Promise.all(running);
  delay.disable();
  return delay.percentile(99) / 1e6;
}
