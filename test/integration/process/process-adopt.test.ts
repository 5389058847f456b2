/** Adoption of processes after a restart. Long because every case needs the same launcher and its records. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AttemptDirectory } from '../../../src/process/files/attempt-directory.ts';
import { createHost } from '../../../src/process/host/host.ts';
import type { ExitReport, ProcessAdoption, SpawnSpec } from '../../../src/process/runner.ts';
import { untilStarted } from '../../../src/process/start.ts';
import { buildDirectory } from '../../support/process/build.ts';
import { fixture, isProvedByKernel, ProcessLab, silent, textOf, until, WAYS } from './process-harness.ts';

const LAUNCHER = fileURLToPath(new URL('../../../src/process/launch/launcher.sh', import.meta.url));

const lab = new ProcessLab();
let compiledRunner: string;

beforeAll(async () => {
  compiledRunner = join(await buildDirectory(), 'src', 'process', 'host-runner.js');
});

afterAll(() => lab.dispose());

function startSupervisor(
  specs: readonly SpawnSpec[],
  then: 'stay' | 'leave',
  containment = 'auto',
  ...warmUp: string[]
): { child: ChildProcess; output: () => string } {
  const plan = join(lab.base, `plan-${specs[0]?.marker.replaceAll(':', '-')}.json`);
  writeFileSync(plan, JSON.stringify(specs));
  const [program = ''] = fixture('supervisor.mjs');
  const child = spawn(process.execPath, [program, compiledRunner, plan, containment, then, ...warmUp], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, RUNNER_NAME: lab.name },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return { child, output: () => output };
}

async function killNine(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const adopt = ({ directory, marker }: SpawnSpec) => lab.runner.adopt(directory, marker);

function reportOf(adoption: ProcessAdoption): Promise<ExitReport> {
  if (adoption.kind === 'never_started') throw new Error(`never started: ${adoption.reason}`);
  return adoption.kind === 'ended' ? Promise.resolve(adoption.process.report) : adoption.process.exited;
}

describe.each(WAYS)('kill -9 of the supervisor: $containment', ({ containment, refusal }) => {
  if (refusal !== null) return it.skip(refusal);
  afterAll(() => {
    lab.restart();
  });

  it('leaves 30 agents to be adopted, none started twice, all ends known (attempts/started-at-most-once)', async () => {
    const starts = join(lab.base, `starts-30-${containment}`);
    const endings = Array.from({ length: 30 }, (_, index) => {
      if (index < 10) return { seconds: '0.1', code: String(index), exit: { kind: 'exited', code: index } };
      if (index < 15) return { seconds: '0.1', code: 'USR1', exit: { kind: 'signalled', signal: 'SIGUSR1' } };
      return { seconds: '4', code: '7', exit: { kind: 'exited', code: 7 } };
    });
    const specs = endings.map(({ seconds, code }, index) =>
      lab.spec(fixture('notes-start.sh', starts, `agent-${index}`, seconds, code)),
    );
    const { child, output } = startSupervisor(specs, 'stay', containment);
    await until('all agents run', () => output().endsWith('all started\n'));
    await killNine(child);
    await until('the short ones have ended', () =>
      specs.slice(0, 15).every((spec) => textOf(join(spec.directory, 'exit')).endsWith('end\n')),
    );

    lab.restart({ containment });
    const adoptions = await Promise.all(specs.map(adopt));
    expect(adoptions.map(({ kind }) => kind)).toEqual(
      endings.map((_, index) => (index < 15 ? 'ended' : 'running')),
    );
    const reports = await Promise.all(adoptions.map(reportOf));
    expect(reports.map(({ exit }) => exit)).toEqual(endings.map(({ exit }) => exit));
    const started = textOf(starts).trim().split('\n').sort();
    expect(started).toEqual(endings.map((_, index) => `agent-${index}`).sort());
  }, 60_000);

  const moments = [0, 60].flatMap((ms) => [
    { ms, through: 'child processes' },
    { ms, through: 'the launch shell' },
  ]);

  it.each(moments)(
    '$ms ms into the starts through $through, each one runs or was never started, and stays so (attempts/started-at-most-once)',
    async ({ ms, through }) => {
      const starts = join(lab.base, `starts-${containment}-${ms}-${through}`);
      const warmUp = through === 'the launch shell' ? [join(lab.base, `warm-up-${containment}-${ms}`)] : [];
      writeFileSync(starts, '');
      const specs = Array.from({ length: 25 }, (_, index) =>
        lab.spec(fixture('notes-start.sh', starts, `agent-${index}`, '600', '0')),
      );
      const { child, output } = startSupervisor(specs, 'stay', containment, ...warmUp);
      // The launch shell is used when the system has cleaned up after an orphan, which a busy one does late.
      await until('the first agent runs', () => output().includes('\n'), 60_000);
      await pause(ms);
      await killNine(child);

      lab.restart({ containment });
      const adoptions = await Promise.all(specs.map(adopt));
      const running = adoptions.flatMap((adoption) =>
        adoption.kind === 'running' ? [adoption.process] : [],
      );
      const neverStarted = adoptions.filter(({ kind }) => kind === 'never_started');
      expect(running.length + neverStarted.length).toBe(specs.length);
      const count = () => textOf(starts).split('\n').length - 1;
      await until('those that run have noted it', () => count() >= running.length);
      expect(
        (await Promise.all(specs.map(adopt))).filter(({ kind }) => kind === 'never_started').length,
      ).toBe(neverStarted.length);
      await pause(300); // a launcher that came too late would have started its command by now
      expect(count()).toBe(running.length);
      const killed = await Promise.all(running.map((process) => process.kill({ graceMs: 0 })));
      const nothing = containment === 'search' ? 'unknown' : 0;
      expect(killed.every(({ survivors }) => survivors === nothing)).toBe(true);
    },
    90_000,
  );
});

describe('a supervisor that closes its runner', () => {
  it('exits and leaves the agents running', async () => {
    const spec = lab.spec(['sleep', '600']);
    const { child } = startSupervisor([spec], 'leave');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    const adoption = await adopt(spec);
    if (adoption.kind !== 'running') throw new Error(`adopted as ${adoption.kind}`);
    expect((await adoption.process.kill({ graceMs: 5000 })).survivors).toBe(0);
    expect((await adoption.process.exited).exit).toEqual({ kind: 'signalled', signal: 'SIGTERM' });
  });
});

describe('a Signalbox inside an agent', () => {
  it.each(['child processes', 'the launch shell'])(
    'has its agents killed with that agent: through %s',
    async (through) => {
      const specs = Array.from({ length: 3 }, () => lab.spec(['sleep', '600']));
      const plan = join(lab.base, `plan-inner-${through.length}.json`);
      writeFileSync(plan, JSON.stringify(specs));
      const warmUp = through === 'the launch shell' ? [join(lab.base, 'warm-up-inner')] : [];
      const outer = lab.spec([
        process.execPath,
        ...fixture('supervisor.mjs', compiledRunner, plan, 'auto', 'stay', ...warmUp),
      ]);
      const supervisor = await lab.runner.spawn(outer);
      const isStarted = () => textOf(join(outer.directory, 'stdout.log')).endsWith('all started\n');
      await until('the inner agents run', isStarted, 60_000);
      const evidence = await supervisor.kill({ graceMs: 1000 });
      expect(evidence.survivors).toBe(0);
      expect(await lab.marked()).toEqual([]);
    },
  );
});

describe('adopt', () => {
  const neverStarted = { kind: 'never_started' };

  it('returns pid, start time, output and end of a running process', async () => {
    const spec = lab.spec(['sh', '-c', 'echo early; sleep 1; echo late; exit 9']);
    const before = await lab.runner.spawn(spec);
    lab.restart();
    const adoption = await adopt(spec);
    if (adoption.kind !== 'running') throw new Error(`adopted as ${adoption.kind}`);
    const { process } = adoption;
    expect(process.identity).toEqual(before.identity);
    expect(process).toMatchObject({ group: before.group, startedAt: before.startedAt });
    expect(await process.exited).toMatchObject({ exit: { kind: 'exited', code: 9 }, stdoutBytes: 11 });
  });

  it('stops a launcher that has not begun, on every call (attempts/started-at-most-once)', async () => {
    const spec = lab.spec(['true']);
    mkdirSync(spec.directory);
    expect(await adopt(spec)).toMatchObject(neverStarted);
    const args = [
      LAUNCHER,
      spec.directory,
      '/dev/null',
      'ends',
      '',
      '1',
      '9',
      'search',
      '',
      '',
      '/bin/sh',
      '-c',
      'echo started >started',
    ];
    const late = spawnSync('/bin/sh', args, { cwd: lab.base });
    expect(late.status).not.toBe(0);
    expect(textOf(join(lab.base, 'started'))).toBe('');
    expect(await adopt(spec)).toMatchObject(neverStarted);
  });

  it('returns never_started if there is no directory', async () => {
    expect(await adopt(lab.spec(['true']))).toMatchObject(neverStarted);
  });

  it('does not take another process for the agent that a forged record names (attempts/ended-for-certain)', async () => {
    const decoy = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
    const stat = readFileSync(`/proc/${decoy.pid}/stat`, 'utf8');
    const forge = (spec: SpawnSpec): AttemptDirectory => {
      for (const name of ['launcher', 'agent']) writeFileSync(join(spec.directory, name), stat);
      return new AttemptDirectory(spec.directory);
    };
    const spec = lab.spec(['true']);
    await (await lab.runner.spawn(spec)).exited;
    const directory = forge(spec);
    const host = createHost(silent, Date.now);
    expect(await untilStarted(host, directory, spec.marker, () => true)).toBe('unclear');
    // With a record of an end, and a launcher that is not known to be gone yet.
    const begin = performance.now();
    const isGone = (): boolean => performance.now() > begin + 600;
    expect(await untilStarted(host, directory, spec.marker, isGone)).toBe('unclear');
    rmSync(join(spec.directory, 'exit'));
    lab.restart();
    const { exit } = await reportOf(await adopt(spec));
    expect(exit.kind).toBe('lost');
    expect(decoy.exitCode ?? decoy.signalCode).toBeNull();
    decoy.kill('SIGKILL');
  });

  it('returns never_started if the launcher was killed before it started anything', async () => {
    const spec = lab.spec(['true']);
    await (await lab.runner.spawn(spec)).exited;
    const fresh = lab.spec(['true']);
    mkdirSync(fresh.directory);
    writeFileSync(join(fresh.directory, 'spec.json'), readFileSync(join(spec.directory, 'spec.json')));
    writeFileSync(join(fresh.directory, 'launcher'), ''); // created, but killed before it wrote
    expect(await adopt(fresh)).toMatchObject(neverStarted);
  });

  const changeSpec = (spec: SpawnSpec, change: Record<string, unknown>) => {
    const file = join(spec.directory, 'spec.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...change }));
  };

  it('returns lost after a restart of the machine, unless the exit was recorded before (attempts/ended-for-certain)', async () => {
    const unfinished = lab.spec(['sleep', '600']);
    await lab.runner.spawn(unfinished);
    const finished = lab.spec(['sh', '-c', 'exit 5']);
    await (await lab.runner.spawn(finished)).exited;
    lab.restart();
    for (const spec of [unfinished, finished]) changeSpec(spec, { bootId: 'of-yesterday' });

    const lost = await adopt(unfinished);
    if (lost.kind !== 'ended') throw new Error(`adopted as ${lost.kind}`);
    expect(lost.process.report.exit).toEqual({
      kind: 'lost',
      reason: 'the machine was restarted after it was started',
    });
    expect(lost.process.identity).toBeUndefined();
    expect((await reportOf(await adopt(finished))).exit).toEqual({ kind: 'exited', code: 5 });
    // The process is there, as the restart is only pretended: the marker leads to it.
    expect((await lost.process.kill({ graceMs: 0 })).processCount).toBeGreaterThan(0);
  });

  it('distinguishes another machine from a renamed one', async () => {
    const spec = lab.spec(['sleep', '600']);
    await lab.runner.spawn(spec);
    lab.restart();
    changeSpec(spec, { host: `not-${hostname()}` });
    const renamed = await adopt(spec);
    if (renamed.kind !== 'running') throw new Error(`adopted as ${renamed.kind}`);
    lab.restart();
    changeSpec(spec, { bootId: 'of-another' });
    const { exit } = await reportOf(await adopt(spec));
    expect(exit).toEqual({
      kind: 'lost',
      reason: expect.stringContaining(`it was started on not-${hostname()}`),
    });
  });

  it('adopts an agent whose launcher was killed, and reports it as lost when it ends', async () => {
    const spec = lab.spec(['sleep', '600']);
    const { group, identity } = await lab.runner.spawn(spec);
    lab.restart();
    process.kill(group, 'SIGKILL');
    await until('the launcher is gone', () => (lab.table.lookup(group)?.state ?? 'Z') === 'Z');
    const adoption = await adopt(spec);
    if (adoption.kind !== 'running') throw new Error(`adopted as ${adoption.kind}`);
    process.kill(identity.pid, 'SIGKILL');
    expect((await adoption.process.exited).exit.kind).toBe('lost');
  });

  it('returns lost if launcher and agent were killed while Signalbox was not running', async () => {
    const spec = lab.spec(fixture('unkillable.sh'));
    const { group } = await lab.runner.spawn(spec);
    await until('its daemon runs', () => textOf(join(spec.directory, 'stdout.log')) === 'ready\n');
    lab.restart();
    process.kill(-group, 'SIGKILL');
    await until('the group is gone', () => (lab.table.lookup(group)?.state ?? 'Z') === 'Z');
    const adoption = await adopt(spec);
    if (adoption.kind !== 'ended') throw new Error(`adopted as ${adoption.kind}`);
    expect(adoption.process.report.exit.kind).toBe('lost');
    const evidence = await adoption.process.kill({ graceMs: 0 });
    expect(evidence.survivors).toBe(isProvedByKernel(lab.runner.containment) ? 0 : 'unknown');
    expect(evidence.processes.map(({ foundBy }) => foundBy)).toContain('marker');
  });

  it('finds what a process left behind that ended while Signalbox was not running', async () => {
    const cwd = join(lab.base, 'left');
    mkdirSync(cwd);
    const spec = lab.spec(fixture('leaves-behind.sh', 'session'), { cwd });
    await (await lab.runner.spawn(spec)).exited;
    lab.restart();
    const adoption = await adopt(spec);
    if (adoption.kind !== 'ended') throw new Error(`adopted as ${adoption.kind}`);
    expect(adoption.process.report.exit).toEqual({ kind: 'exited', code: 0 });
    const evidence = await adoption.process.kill({ graceMs: 5000 });
    // And the launcher, which waits until nothing can print any more.
    expect(evidence).toMatchObject({ survivors: 0, processCount: 2 });
  });
});

describe.each(['sh', 'dash', 'bash', 'busybox sh'])('the launcher in %s', (shell) => {
  const [program = '', ...options] = shell.split(' ');
  const present = spawnSync(program, [...options, '-c', ':']).status === 0;

  it.runIf(present).each([
    ['exit 0', /^status 0\n0m/],
    ['exit 143', /^status 143\n0m/],
    ['kill -TERM $$', /^status 143\nsignalled\n0m/],
    ['kill -KILL $$', /^status 137\nsignalled\n0m/],
  ])('records "%s"', (script, record) => {
    const directory = join(lab.base, `launcher-${shell}-${script.replaceAll(/\W/g, '-')}`);
    mkdirSync(directory);
    const command = [
      LAUNCHER,
      directory,
      '/dev/null',
      'ends',
      'PWD OLDPWD',
      '1',
      '9',
      'search',
      '',
      '',
      '/bin/sh',
      '-c',
      script,
    ];
    const result = spawnSync(program, [...options, ...command], { encoding: 'utf8' });
    expect(result).toMatchObject({ status: 0, stdout: 'ended 1\n', stderr: '' });
    expect(textOf(join(directory, 'exit'))).toMatch(record);
    expect(textOf(join(directory, 'exit'))).toMatch(/\nend\n$/);
  });
});
