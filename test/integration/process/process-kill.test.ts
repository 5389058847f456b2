import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ManagedProcess } from '../../../src/process/runner.ts';
import { fixture, ProcessLab, textOf, until } from './process-harness.ts';

let lab: ProcessLab;

beforeEach(() => {
  lab = new ProcessLab();
});

afterEach(() => lab.dispose());

describe('kill', () => {
  it('ends a cooperative process with SIGTERM alone, and the launcher records it (kill/proved-by-evidence)', async () => {
    const process = await lab.spawn(['sleep', '600']);
    const evidence = await process.kill({ graceMs: 10_000 });
    expect(evidence.survivors).toBe(0);
    expect(evidence.signals.map(({ signal, to, pid }) => ({ signal, to, pid }))).toEqual([
      { signal: 'SIGTERM', to: 'group', pid: process.group },
    ]);
    expect(await process.exited).toMatchObject({ exit: { kind: 'signalled', signal: 'SIGTERM' } });
  });

  it('lets the process choose its exit code during the grace', async () => {
    const process = await lab.spawn([
      'sh',
      '-c',
      'trap "exit 42" TERM; echo up; while :; do sleep 0.01; done',
    ]);
    await until('the trap is set', () => process.outputBytes().stdout > 0);
    expect((await process.kill({ graceMs: 10_000 })).survivors).toBe(0);
    expect((await process.exited).exit).toEqual({ kind: 'exited', code: 42 });
  });

  it('records SIGKILL as the end of a process that ignores SIGTERM', async () => {
    const process = await lab.spawn(fixture('unkillable.sh'));
    await process.kill({ graceMs: 0 });
    expect((await process.exited).exit).toEqual({ kind: 'signalled', signal: 'SIGKILL' });
  });

  it('resumes a stopped process so that it can end by itself', async () => {
    const spec = lab.spec(fixture('stops-itself.sh'));
    const process = await lab.runner.spawn(spec);
    await until('it is stopped', () => lab.table.lookup(process.identity.pid)?.state === 'T');
    const evidence = await process.kill({ graceMs: 10_000 });
    expect(evidence.signals.map(({ signal }) => signal)).toEqual(['SIGTERM', 'SIGCONT']);
    expect((await process.exited).exit).toEqual({ kind: 'exited', code: 3 });
    expect(textOf(join(spec.directory, 'stdout.log'))).toBe('goodbye\n');
  });

  it.each(['group', 'session'])(
    'ends processes that hand over to a child every few milliseconds: %s',
    async (kind) => {
      const process = await lab.spawn(fixture('respawns.sh', kind));
      const evidence = await process.kill({ graceMs: 0 });
      expect(evidence.survivors).toBe(0);
      expect(await lab.marked()).toEqual([]);
    },
  );

  it('joins a second call to the first and shortens the grace', async () => {
    const process = await lab.spawn(fixture('unkillable.sh'));
    const patient = process.kill({ graceMs: 600_000 });
    const impatient = process.kill({ graceMs: 0 });
    expect(await impatient).toBe(await patient);
    expect((await patient).survivors).toBe(0);
  });

  it('reports how the process ended even if this runner killed the launcher with it', async () => {
    const process = await lab.spawn(fixture('unkillable.sh'));
    globalThis.process.kill(process.group, 'SIGSTOP'); // it will not record anything
    const evidence = await process.kill({ graceMs: 0 });
    expect(evidence.survivors).toBe(0);
    expect((await process.exited).exit.kind).toBe('signalled');
  });
});

describe('a process that is left behind', () => {
  it.each(['plain', 'bare', 'session'])('is found and killed afterwards: %s', async (kind) => {
    const cwd = join(lab.base, kind);
    mkdirSync(cwd);
    const process = await lab.spawn(fixture('leaves-behind.sh', kind), { cwd });
    expect((await process.exited).exit).toEqual({ kind: 'exited', code: 0 });
    const pid = Number(readFileSync(join(cwd, 'left-behind'), 'utf8'));
    expect(lab.table.lookup(pid)).toBeDefined();
    const evidence = await process.kill({ graceMs: 10_000 });
    expect(evidence.survivors).toBe(0);
    expect(evidence.processes.map((found) => found.pid)).toContain(pid);
    expect(evidence.signals.every(({ signal }) => signal === 'SIGTERM')).toBe(true);
    expect(lab.table.lookup(pid)?.state ?? 'Z').toBe('Z');
  });

  it('gets no signal if there is none', async () => {
    const process = await lab.spawn(['true']);
    await process.exited;
    const evidence = await process.kill({ graceMs: 0 });
    expect(evidence).toMatchObject({ survivors: 0, signals: [], processes: [], rounds: 2 });
  });
});

describe('a process with the pid of an attempt', () => {
  let decoy: ChildProcess;

  beforeEach(async () => {
    decoy = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
    await once(decoy, 'spawn');
    await pause(30); // start times have a resolution of 10 ms, and what the test starts next must have another one
  });

  afterEach(async () => {
    decoy.kill('SIGKILL');
    if (decoy.exitCode === null && decoy.signalCode === null) await once(decoy, 'exit');
  });

  const expectUntouched = () => {
    expect(decoy.signalCode).toBeNull();
    expect(lab.table.lookup(decoy.pid ?? 0)?.state).toBe('S');
  };

  /** Changes the records of an attempt so that they name the decoy's pid, with the start time of the true process. */
  const blameDecoy = (directory: string) => {
    for (const file of ['launcher', 'agent']) {
      const record = readFileSync(join(directory, file), 'utf8');
      writeFileSync(join(directory, file), record.replace(/^\d+/, String(decoy.pid)));
    }
  };

  it('is left alone if it has the recorded pid but another start time (process/ownership-by-start-time)', async () => {
    const spec = lab.spec(['sleep', '600']);
    const real: ManagedProcess = await lab.runner.spawn(spec);
    lab.restart();
    blameDecoy(spec.directory);
    const adoption = await lab.runner.adopt(spec.directory, 'another-marker');
    if (adoption.kind !== 'ended') throw new Error(`adopted as ${adoption.kind}`);
    expect(adoption.process.report.exit.kind).toBe('lost');
    const evidence = await adoption.process.kill({ graceMs: 0 });
    expect(evidence).toMatchObject({ survivors: 'unknown', signals: [], processes: [] });
    expectUntouched();
    expect(lab.table.lookup(real.identity.pid)?.state).toBe('S');
  });

  it('is left alone while the real process is found by its marker', async () => {
    const spec = lab.spec(['sleep', '600']);
    const real = await lab.runner.spawn(spec);
    lab.restart();
    blameDecoy(spec.directory);
    const adoption = await lab.runner.adopt(spec.directory, spec.marker);
    if (adoption.kind !== 'running') throw new Error(`adopted as ${adoption.kind}`);
    expect(adoption.process.identity).toEqual(real.identity);
    const evidence = await adoption.process.kill({ graceMs: 1000 });
    expect(evidence.survivors).toBe(0);
    expect(evidence.processes.map(({ pid }) => pid)).toContain(real.identity.pid);
    expect(await lab.marked()).toEqual([]);
    expectUntouched();
  });
});
