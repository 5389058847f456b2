/** Runs processes on this machine: the implementation of `runner.ts`. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { messageOf, SignalboxError, unreachable } from '../contracts/errors.ts';
import type { Containment } from '../contracts/processes/containment.ts';
import { type AdoptionFinding, findOut } from './adoption.ts';
import { CgroupEnclosure } from './containment/cgroup/cgroup-enclosure.ts';
import { makeCgroup, removeEmptyCgroup, sweepCgroup } from './containment/cgroup/cgroup-files.ts';
import { type Container, containerFor } from './containment/container.ts';
import { enclosureOf } from './containment/enclosure.ts';
import { AttemptDirectory, type SpecRecord } from './files/attempt-directory.ts';
import { recordedExit } from './files/exit.ts';
import { createHost, type Host, identityOf } from './host/host.ts';
import { Killer } from './kill/kill.ts';
import { type Launched, LaunchPad } from './launch/launch.ts';
import { preflight, spawnFailed } from './preflight.ts';
import type {
  EndedProcess,
  KillOptions,
  KnownProcess,
  ManagedProcess,
  ProcessAdoption,
  ProcessRunner,
  SpawnSpec,
} from './runner.ts';
import { untilStarted } from './start.ts';
import { type StartedProcess, SupervisedProcess } from './supervised-process.ts';
import { Watcher } from './watcher.ts';

export interface ProcessRunnerOptions {
  readonly log: Logger;
  /** Epoch milliseconds. Default: the system's clock. */
  readonly now?: () => number;
  /** Milliseconds between two polls of running processes: output, usage, end of adopted ones. Default: 500. */
  readonly pollMs?: number;
  /** Whether to start processes through a launch shell if the system allows it (launch.ts). Default true. */
  readonly launchShell?: boolean;
  /** How to keep processes together. Default: the best way that this machine allows. */
  readonly containment?: Containment | 'auto';
  /** Distinguishes the processes of this runner, and of later ones that adopt them, from those of others. Default: at random. */
  readonly name?: string;
}

const POLL_MS = 500;
/** How long a launcher that was not seen may still be on its way. */
const MAX_LATE_BEGIN_MS = 60_000;

type Started = Pick<StartedProcess, 'launcher' | 'agent' | 'startedAt'>;
type EndedFinding = Extract<AdoptionFinding, { kind: 'ended' }>;

/**
 * Runs processes on this machine.
 * @throws SignalboxError `internal` on a system that is neither Linux nor macOS, `config_invalid` for a containment that this
 * machine does not allow
 */
export function createProcessRunner(options: ProcessRunnerOptions): ProcessRunner {
  const host = createHost(options.log, options.now ?? Date.now);
  const { container } = containerFor(options.containment ?? 'auto');
  const pad = new LaunchPad(host.table, options.log, options.launchShell ?? true, container);
  const cgroup = container.kind === 'cgroup' ? join(container.base, cgroupName(options.name)) : undefined;
  return new HostProcessRunner(host, pad, { container, cgroup }, options.pollMs ?? POLL_MS);
}

function cgroupName(name = `${process.pid}-${randomUUID().slice(0, 8)}`): string {
  return `signalbox-${name}`;
}

interface Place {
  readonly container: Container;
  /** The cgroup in which each attempt gets one, if they get one. */
  readonly cgroup: string | undefined;
}

class HostProcessRunner implements ProcessRunner {
  readonly containment: Containment;
  readonly #host: Host;
  readonly #watcher: Watcher;
  readonly #pad: LaunchPad;
  readonly #cgroup: string | undefined;
  readonly #running = new Set<ManagedProcess>();
  #closed = false;

  constructor(host: Host, pad: LaunchPad, { container, cgroup }: Place, pollMs: number) {
    this.containment = container.kind;
    this.#cgroup = cgroup;
    if (cgroup !== undefined) sweepCgroup(cgroup);
    this.#host = host;
    this.#watcher = new Watcher(host, pollMs);
    this.#pad = pad;
  }

  async spawn(spec: SpawnSpec): Promise<ManagedProcess> {
    if (this.#closed) throw new SignalboxError('shutting_down', 'the process runner is closed');
    const program = preflight(spec);
    const directory = new AttemptDirectory(spec.directory);
    const record = this.#recordOf(spec, directory);
    // On disk before a launcher starts, so that adopt() finds out what happened after a crash at any point.
    await directory.create(record);
    const { launched, start } = await this.#launch(spec, program, directory, record);
    const enclosure = enclosureOf(this.#host, directory, record);
    const process = this.#supervise({ directory, spec: record, enclosure, ...start }, () =>
      launched.release(),
    );
    void launched.ended.then(() => process.checkEnd());
    return process;
  }

  #recordOf({ command, cwd, marker, maxOutputBytes, inputStays }: SpawnSpec, directory: AttemptDirectory) {
    const { name, bootId } = this.#host;
    const spec = { command, cwd, marker, maxOutputBytes, inputStays, host: name, bootId };
    const cgroup = this.#cgroup && CgroupEnclosure.pathIn(this.#cgroup, directory, marker);
    return { ...spec, containment: this.containment, cgroup } satisfies SpecRecord;
  }

  async #launch(
    spec: SpawnSpec,
    program: string,
    directory: AttemptDirectory,
    record: SpecRecord,
  ): Promise<{ readonly launched: Launched; readonly start: Started }> {
    const cgroups = this.#enter(spec, record);
    const errors = await directory.createErrors();
    const launched = await this.#pad
      .launch({ spec, program, directory, errors: errors.fd, cgroups })
      .catch(async (error: unknown) => {
        await errors.close();
        throw error;
      });
    try {
      const start = await this.#started(spec, directory, launched);
      await errors.close();
      return { launched, start };
    } catch (error) {
      const isOnItsWay = await this.#preventStart(directory, record);
      // A launcher that is on its way opens it by its number, which must not be that of another file by then.
      const begun = isOnItsWay ? pause(MAX_LATE_BEGIN_MS, undefined, { ref: false }) : Promise.resolve();
      void Promise.race([launched.ended, begun]).then(() => {
        launched.release();
        return errors.close();
      });
      throw error;
    }
  }

  /** Makes the cgroups that a command enters. @throws SignalboxError `spawn_failed` */
  #enter({ command: [name = ''] }: SpawnSpec, { cgroup }: SpecRecord): readonly string[] {
    if (cgroup === undefined) return [];
    try {
      makeCgroup(cgroup);
      return [cgroup];
    } catch (error) {
      throw spawnFailed('system', `cannot make a cgroup for ${name}: ${messageOf(error)}`, error);
    }
  }

  async adopt(path: string, marker: string, known?: KnownProcess): Promise<ProcessAdoption> {
    const directory = new AttemptDirectory(path);
    const finding = await findOut(this.#host, directory, marker, known).catch((error: unknown) => {
      const why = `cannot find out what became of the process in ${path}: ${messageOf(error)}`;
      throw new SignalboxError('internal', why, { cause: error });
    });
    switch (finding.kind) {
      case 'never_started':
        enclosureOf(this.#host, directory, { ...directory.readSpec(), marker }).remove();
        return finding;
      case 'ended':
        return { kind: 'ended', process: this.#endedProcess(finding, directory, marker) };
      case 'running': {
        const startedAt = directory.startedAt() ?? this.#host.now();
        const enclosure = enclosureOf(this.#host, directory, finding.spec);
        const process = this.#supervise({ ...finding, directory, enclosure, startedAt }, () => {});
        return { kind: 'running', process };
      }
      default:
        return unreachable(finding, 'adopt');
    }
  }

  close(): void {
    this.#closed = true;
    for (const process of this.#running) process.detach();
    this.#pad.close();
    // As far as no attempt is in it.
    if (this.#cgroup !== undefined) removeEmptyCgroup(this.#cgroup);
  }

  #supervise(started: StartedProcess, released: () => void): SupervisedProcess {
    const process = new SupervisedProcess(this.#host, this.#watcher, started, () => {
      this.#running.delete(process);
      released();
    });
    this.#running.add(process);
    if (this.#closed) process.detach();
    return process;
  }

  #endedProcess(
    { report, launcher, agent, containment, cgroup }: EndedFinding,
    directory: AttemptDirectory,
    marker: string,
  ): EndedProcess {
    const killer = new Killer(this.#host, {
      marker,
      enclosure: enclosureOf(this.#host, directory, { marker, containment, cgroup }),
      ...(launcher && { launcher }),
      ...(agent && { agent }),
    });
    const ended = { report, kill: (options: KillOptions) => killer.kill(options) };
    return agent === undefined ? ended : { ...ended, identity: identityOf(this.#host, agent) };
  }

  async #started(spec: SpawnSpec, directory: AttemptDirectory, { isOver }: Launched): Promise<Started> {
    const name = spec.command[0];
    const start = await untilStarted(this.#host, directory, spec.marker, isOver);
    if (start === 'unclear')
      throw spawnFailed(
        'system',
        `it is not known whether ${name} was started: its launcher hangs, or the records in ${directory.path} name another process`,
      );
    if (start === undefined) {
      const errors = directory.readLauncherErrors() || 'it was killed';
      throw spawnFailed('system', `the launcher of ${name} did not start it: ${errors}`);
    }
    const record = isOver() ? directory.readExit() : undefined;
    const exit = record === undefined ? undefined : await recordedExit(directory, record);
    if (exit?.kind === 'spawn_failed') {
      throw spawnFailed('not_executable', `the system could not execute ${name}: ${exit.reason}`);
    }
    return { ...start, startedAt: directory.startedAt() ?? this.#host.now() };
  }

  /**
   * Makes sure that a failed spawn starts nothing later: stops a launcher on its way, kills one that has begun, even if
   * its record was removed.
   * @returns whether none was there
   */
  async #preventStart(directory: AttemptDirectory, spec: SpecRecord): Promise<boolean> {
    const isOnItsWay = await directory.abandon();
    const enclosure = enclosureOf(this.#host, directory, spec);
    const { processCount } = await new Killer(this.#host, { marker: spec.marker, enclosure }).kill({
      graceMs: 0,
    });
    return isOnItsWay && processCount === 0;
  }
}
