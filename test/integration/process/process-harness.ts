import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { messageOf } from '../../../src/contracts/errors.ts';
import { CONTAINMENTS, type Containment } from '../../../src/contracts/processes/containment.ts';
import { baseOf } from '../../../src/process/containment/cgroup/cgroup-base.ts';
import { hierarchies, removeCgroup } from '../../../src/process/containment/cgroup/cgroup-files.ts';
import { containerFor } from '../../../src/process/containment/container.ts';
import type { Enclosure } from '../../../src/process/containment/enclosure.ts';
import { createHost } from '../../../src/process/host/host.ts';
import { LinuxProcessTable } from '../../../src/process/host/linux-processes.ts';
import { isAlive, type ProcessEntry } from '../../../src/process/host/process-table.ts';
import { createProcessRunner, type ProcessRunnerOptions } from '../../../src/process/host-runner.ts';
import { Killer } from '../../../src/process/kill/kill.ts';
import type { ManagedProcess, ProcessRunner, SpawnSpec } from '../../../src/process/runner.ts';

const FIXTURES = fileURLToPath(new URL('../../fixtures/processes/', import.meta.url));

/** Command line of a program in test/fixtures/processes. */
export function fixture(name: string, ...args: string[]): string[] {
  return [join(FIXTURES, name), ...args];
}

const NO_ENCLOSURE: Enclosure = {
  containment: 'search',
  pids: () => [],
  isEmpty: () => undefined,
  killAll: () => undefined,
  observe: () => {},
  remove: () => {},
};

export const silent = pino({ level: 'silent' });

/** Null if this machine allows it. */
function refusalOf(containment: Containment): string | null {
  try {
    containerFor(containment);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** Every way to keep processes together, and why this machine does not allow it. */
export const WAYS = CONTAINMENTS.map((containment) => ({ containment, refusal: refusalOf(containment) }));

/** After the launcher was killed, only the kernel knows whether something is left. */
export function isProvedByKernel(containment: Containment): boolean {
  return containment === 'cgroup' || containment === 'pid_namespace';
}

/** Waits for a condition, and says what it waited for if it does not come true. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  ms = 20_000,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain until ${what}`);
    await pause(10);
  }
}

export function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** A runner with a directory of its own. Everything started with its markers is killed at the end. */
export class ProcessLab {
  readonly base = mkdtempSync(join(tmpdir(), 'signalbox-process-'));
  readonly table = new LinuxProcessTable();
  readonly markerPrefix = `lab:${process.pid}:${Math.random().toString(36).slice(2)}:`;
  readonly name = `lab-${process.pid}-${Math.random().toString(36).slice(2)}`;
  readonly #runners: ProcessRunner[] = [];
  #count = 0;
  runner: ProcessRunner;

  constructor(options: Partial<ProcessRunnerOptions> = {}) {
    this.runner = this.restart(options);
  }

  /** Another runner, as after a restart of Signalbox; the one before stops watching. */
  restart(options: Partial<ProcessRunnerOptions> = {}): ProcessRunner {
    for (const runner of this.#runners) runner.close();
    this.runner = createProcessRunner({ log: silent, pollMs: 50, name: this.name, ...options });
    this.#runners.push(this.runner);
    return this.runner;
  }

  spec(command: readonly string[], overrides: Partial<SpawnSpec> = {}): SpawnSpec {
    this.#count += 1;
    const directory = join(this.base, `attempt-${this.#count}`);
    const env = { PATH: process.env.PATH ?? '' };
    const marker = `${this.markerPrefix}${this.#count}`;
    return { directory, command, cwd: this.base, env, marker, maxOutputBytes: 1_000_000, ...overrides };
  }

  spawn(command: readonly string[], overrides: Partial<SpawnSpec> = {}): Promise<ManagedProcess> {
    return this.runner.spawn(this.spec(command, overrides));
  }

  /** True once the runner starts processes through its launch shell; false if the system has what it takes not. */
  async launchShellReady(): Promise<boolean> {
    for (const end = performance.now() + 12_000; performance.now() < end; await pause(100)) {
      const sleeper = await this.spawn(['sleep', '600']);
      const isChild = this.table.lookup(sleeper.group)?.ppid === process.pid;
      await sleeper.kill({ graceMs: 0 });
      if (!isChild) return true;
    }
    return false;
  }

  /** Living processes that carry one of this lab's markers. */
  async marked(): Promise<ProcessEntry[]> {
    const entries = await this.table.scan({ markersSince: '0' });
    return entries.filter(
      (entry) => entry.markers?.some((marker) => marker.startsWith(this.markerPrefix)) && isAlive(entry),
    );
  }

  async dispose(): Promise<void> {
    for (const runner of this.#runners) runner.close();
    const host = createHost(silent, Date.now);
    const left = new Set((await this.marked()).flatMap(({ markers }) => markers ?? []));
    for (const marker of left) {
      if (marker.startsWith(this.markerPrefix))
        await new Killer(host, { marker, enclosure: NO_ENCLOSURE }).kill({ graceMs: 0 });
    }
    for (const { own } of hierarchies()) removeCgroup(join(baseOf(own), `signalbox-${this.name}`));
    rmSync(this.base, { recursive: true, force: true });
    if ((await this.marked()).length > 0)
      throw new Error('the test left processes behind that cannot be killed');
  }
}
