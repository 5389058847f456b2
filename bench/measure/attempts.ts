/** Attempts of a process agent, each a whole life of a task, compared with a bare `spawn` of the same program. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSignalbox } from '../../src/index.ts';
import { atLeast, type Figure, medianBy, shown } from '../support/figure.ts';

const PROGRAM = '/bin/true';
const AT_ONCE = 8;
const COUNT = 300;
const ROUNDS = 3;

export async function attempts(): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-bench-attempts-'));
  let onSettled: () => void = () => {};
  const signalbox = await createSignalbox({
    config: {
      data_dir: directory,
      server: { port: 0 },
      limits: { queue_depth: 100_000 },
      agents: { worker: { driver: 'command', command: [PROGRAM], concurrency: AT_ONCE, review: 'auto' } },
    },
    onSettled: () => onSettled(),
  });
  const lives = (): Promise<void> =>
    new Promise((resolve) => {
      let left = COUNT;
      onSettled = () => {
        if (--left === 0) resolve();
      };
      for (let task = 0; task < COUNT; task++) {
        void signalbox.createTask({
          project: 'bench',
          title: 'a task',
          agent: 'worker',
          outputs: 'optional',
        });
      }
    });
  try {
    await perSecond(lives);
    const rounds: { readonly ours: number; readonly bare: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({ bare: await perSecond(bareSpawns), ours: await perSecond(lives) });
    }
    const { ours, bare } = medianBy(rounds, (each) => each.ours / each.bare);
    return [
      {
        key: 'spawn_ratio',
        value: ours / bare,
        goal: atLeast(0.7),
        note: `${shown(ours)} attempts/s of a process agent over bare spawns of the same program (${shown(bare)}/s), ${AT_ONCE} at once`,
      },
    ];
  } finally {
    await signalbox.stop('the bench is over');
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function perSecond(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return COUNT / ((performance.now() - start) / 1_000);
}

async function bareSpawns(): Promise<void> {
  let left = COUNT;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) await once(spawn(PROGRAM, [], { stdio: ['ignore', 'pipe', 'pipe'] }), 'close');
    }),
  );
}
