/** What a process puts in the place of the files of its attempt: nothing of it may block, or end what still runs. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stdoutOf } from '../../../src/drivers/declared/json-output.ts';
import { tailOf } from '../../../src/process/files/tail.ts';
import type { ExitReport, SpawnSpec } from '../../../src/process/runner.ts';
import { HOSTILE_KINDS, replaceBy } from '../../support/hostile/kinds.ts';
import { fixture, ProcessLab, until } from './process-harness.ts';

const KINDS = ['fifo', 'device', 'directory', 'link', 'loop', 'socket', 'huge', 'forged', 'nothing'];
const RECORDS = ['exit', 'launcher', 'agent', 'spec.json', 'exec-failed', 'launcher.err', 'launch.err'];
const OUTPUT = ['stdout.log', 'stderr.log'].flatMap((log) =>
  ['', '.1', '.head', '.copy', '.rotated'].map((part) => log + part),
);
/** Each file that means something by itself, and all together; at last the directory. */
const TARGETS = [['exit'], ['stdout.log'], [...RECORDS, ...OUTPUT, 'stdout', 'stderr'], ['']];
/** Far below what a blocked read takes, far above what a busy machine does. */
const MAX_STANDSTILL_MS = 2_000;

interface Case {
  readonly name: string;
  readonly spec: SpawnSpec;
}

function cases(lab: ProcessLab, then: 'stay' | 'end'): Case[] {
  return KINDS.flatMap((kind) =>
    TARGETS.map((names): Case => {
      const { directory } = lab.spec(['true']);
      const command = fixture('replaces-files.sh', directory, kind, then, ...names);
      const env = { PATH: process.env.PATH ?? '', NODE: process.execPath };
      const spec = lab.spec(command, { directory, env, maxOutputBytes: 1_000_000 });
      return { name: `${kind} as ${names.join(' ') || 'the directory'}`, spec };
    }),
  );
}

/** The longest time that the event loop was blocked. */
function standstills(): { readonly longestMs: () => number } {
  let last = performance.now();
  let longest = 0;
  setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 10).unref();
  return { longestMs: () => longest };
}

/** What no process here ends with: only its own record says so. */
function saysZero({ exit }: ExitReport): boolean {
  return exit.kind === 'exited' && exit.code === 0;
}

async function readAll({ directory }: SpawnSpec): Promise<void> {
  for (const log of ['stdout.log', 'stderr.log']) await tailOf(join(directory, log), 4_096);
  let bytes = 0;
  for await (const piece of stdoutOf(directory)) bytes += piece.length;
  expect(bytes).toBeLessThan(600_000_000);
}

describe('a process that replaces the files of its attempt', () => {
  const lab = new ProcessLab();
  afterAll(() => lab.dispose());
  const loop = standstills();

  it('is killed, also by the next Signalbox, and its output is read or left out', async () => {
    const all = cases(lab, 'stay');
    await Promise.all(all.map(({ spec }) => lab.runner.spawn(spec)));
    await until(
      'all have replaced their files',
      () => all.every(({ spec }) => existsSync(`${spec.directory}.done`)),
      60_000,
    );
    await Promise.all(all.map(({ spec }) => readAll(spec)));
    lab.restart();
    const ends = all.map(async ({ name, spec }) => {
      const adoption = await lab.runner.adopt(spec.directory, spec.marker);
      if (adoption.kind === 'never_started') return `${name}: ${adoption.reason}`;
      const { survivors } = await adoption.process.kill({ graceMs: 500 });
      const exit = adoption.kind === 'running' ? await adoption.process.exited : adoption.process.report;
      return survivors !== 'unknown' && survivors > 0
        ? `${name}: survived`
        : saysZero(exit)
          ? `${name}: forged its end`
          : '';
    });
    expect((await Promise.all(ends)).filter((text) => text !== '')).toEqual([]);
    expect(await lab.marked()).toEqual([]);
    expect(loop.longestMs()).toBeLessThan(MAX_STANDSTILL_MS);
  }, 90_000);

  it('has ended when it ends by itself', async () => {
    const all = cases(lab, 'end');
    const ends = all.map(async ({ name, spec }) => {
      // It may have replaced the records of its start, and ended, before they are read.
      const process = await lab.runner.spawn(spec).catch(() => null);
      return process !== null && saysZero(await process.exited) ? name : '';
    });
    expect((await Promise.all(ends)).filter((text) => text !== '')).toEqual([]);
    expect(await lab.marked()).toEqual([]);
    expect(loop.longestMs()).toBeLessThan(MAX_STANDSTILL_MS);
  }, 90_000);
});

describe('a directory in which another process has put something before the start', () => {
  const lab = new ProcessLab();
  afterAll(() => lab.dispose());

  it.each(HOSTILE_KINDS)('holds up no other start: %s', async (kind) => {
    await lab.launchShellReady();
    const names = ['launch.err', 'launcher.err', 'stdout.log', 'exit', 'agent'];
    const planted = names.map((name) => ({ name, spec: lab.spec(['sleep', '600']) }));
    await Promise.all(planted.map(({ name, spec }) => replaceBy(kind, [join(spec.directory, name)])));
    const starts = planted.map(({ spec }) => lab.runner.spawn(spec).catch(() => null));
    for (let other = 0; other < 3; other++) {
      const process = await lab.spawn(['sleep', '600']);
      expect((await process.kill({ graceMs: 0 })).survivors).toBe(0);
    }
    // Those that hang are given up after half a minute: they need not be waited for here.
    for (const start of starts) void start.then((process) => process?.kill({ graceMs: 0 }));
  });
});

describe('a process that prints without end', () => {
  const lab = new ProcessLab();
  afterAll(() => lab.dispose());

  it.each(['cat /dev/zero', 'yes'])(
    'keeps at most twice the limit on the disk at any moment: %s',
    async (command) => {
      const maxOutputBytes = 4_000_000;
      const spec = lab.spec(['sh', '-c', `exec ${command}`], { maxOutputBytes });
      const process = await lab.runner.spawn(spec);
      const file = join(spec.directory, 'stdout.log');
      const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      let most = 0;
      const end = performance.now() + 3_000;
      await until('enough is printed', () => {
        most = Math.max(most, sizeOf(file) + sizeOf(`${file}.1`) + sizeOf(`${file}.head`));
        return performance.now() > end && process.outputBytes().stdout > 3 * maxOutputBytes;
      });
      expect(most).toBeLessThanOrEqual(2 * maxOutputBytes);
      expect(most).toBeGreaterThan(maxOutputBytes);
      expect((await process.kill({ graceMs: 2_000 })).survivors).toBe(0);
    },
  );
});
