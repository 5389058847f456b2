/**
 * A started process, whether this runner is its parent or has adopted it.
 *
 * It has ended when the system has no process with its pid and start time any more. The launcher's record only tells how:
 * the agent can write a record itself, so none ends an attempt whose process is there. A record that does not come, or
 * that the agent has made unreadable, delays the end by some seconds.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { deferred } from '../base/deferred.ts';
import { ProcessChannel } from './channel/channel.ts';
import { WAITING_NAME } from './containment/container.ts';
import type { Enclosure } from './containment/enclosure.ts';
import type { AttemptDirectory, RecordedExit, SpecRecord } from './files/attempt-directory.ts';
import { recordedExit, reportOf } from './files/exit.ts';
import { OutputFiles } from './files/output-files.ts';
import { type Host, identityOf } from './host/host.ts';
import { findOwned, partsOfLauncher } from './host/ownership.ts';
import {
  findAlive,
  isAlive,
  type ProcessEntry,
  type ProcessKey,
  type ProcessTable,
  sameProcess,
} from './host/process-table.ts';
import type { ProcessIndex } from './host/scans.ts';
import { Killer } from './kill/kill.ts';
import type {
  ExitReport,
  KillEvidence,
  KillOptions,
  ManagedProcess,
  OutputBytes,
  ProcessExit,
  ProcessIdentity,
  TreeEntry,
} from './runner.ts';
import type { Watched, Watcher } from './watcher.ts';

/** How long a launcher may take to exit after it recorded the end: it waits for the last output. */
const MAX_LAUNCHER_END_MS = 1000;
/** The same, if the output is written and it waits for processes that the command left behind. */
const MAX_WAITING_MS = 100;
/** How long after the end of the agent its record is waited for while the launcher is there. */
const MAX_RECORD_MS = 5000;
const MIN_END_POLL_MS = 1;
const MAX_END_POLL_MS = 50;

export interface StartedProcess {
  readonly directory: AttemptDirectory;
  readonly spec: Pick<SpecRecord, 'marker' | 'maxOutputBytes' | 'inputStays' | 'containment' | 'cgroup'>;
  readonly enclosure: Enclosure;
  readonly launcher: ProcessKey;
  readonly agent: ProcessKey;
  /** Epoch milliseconds. */
  readonly startedAt: number;
}

export class SupervisedProcess implements ManagedProcess, Watched {
  readonly identity: ProcessIdentity;
  readonly group: number;
  readonly startedAt: number;
  readonly #host: Host;
  readonly #watcher: Watcher;
  readonly #started: StartedProcess;
  readonly #output: OutputFiles;
  readonly #usage = new UsageMeter();
  readonly #killer: Killer;
  readonly #released: () => void;
  readonly #exited = deferred<ExitReport>();
  readonly exited = this.#exited.promise;
  readonly channel?: ProcessChannel;
  #over = false;
  #launcherLost = false;
  #remembering: Promise<void> | undefined;
  #ending: Promise<void> | undefined;

  /** @param released called once, when it has ended or was detached */
  constructor(host: Host, watcher: Watcher, started: StartedProcess, released: () => void) {
    const { directory, spec, enclosure, launcher, agent } = started;
    this.#host = host;
    this.#watcher = watcher;
    this.#started = started;
    this.#released = released;
    this.identity = identityOf(host, agent);
    this.group = launcher.pid;
    this.startedAt = started.startedAt;
    if (spec.inputStays === true) this.channel = new ProcessChannel(directory, host.log);
    this.#output = new OutputFiles(directory, spec.maxOutputBytes, host.log, this.channel);
    this.#killer = new Killer(host, { launcher, agent, marker: spec.marker, enclosure });
    watcher.add(this);
  }

  outputBytes(): OutputBytes {
    return this.#output.bytes();
  }

  async kill(options: KillOptions): Promise<KillEvidence> {
    await this.#remembering;
    const evidence = await this.#killer.kill(options);
    const { pid } = this.identity;
    if (evidence.survivors !== 0 && evidence.survivors !== 'unknown') {
      const message = `${evidence.survivors} processes survived SIGKILL: end them by hand, or restart the machine`;
      this.#host.log.error({ pid, evidence }, message);
    }
    await this.checkEnd();
    return evidence;
  }

  async tree(): Promise<readonly TreeEntry[]> {
    const { launcher, agent, spec, enclosure } = this.#started;
    const since = launcher.startTime;
    const index = await this.#host.scans.scan(since);
    const known = [launcher, agent];
    const { marker } = spec;
    const owned = findOwned(index, { known, marker, enclosed: enclosure.pids(), since, own: this.#host.own });
    const all = owned.map(({ entry }) => entry).filter(isAlive);
    const parts = partsOfLauncher(all, launcher, agent);
    // Those that copy the output are no processes of the agent.
    const entries = all.filter((entry) => sameProcess(launcher, entry) || !parts.has(entry));
    entries.sort((a, b) => Number(a.startTime) - Number(b.startTime) || a.pid - b.pid);
    return Promise.all(entries.map((entry) => describe(this.#host, entry)));
  }

  detach(): void {
    this.channel?.close();
    if (!this.#over) this.#release();
  }

  async observe(index: ProcessIndex): Promise<void> {
    const { launcher, agent, enclosure } = this.#started;
    const since = launcher.startTime;
    const claim = { known: [launcher, agent], enclosed: enclosure.pids(), since, own: this.#host.own };
    const entries = findOwned(index, claim).map(({ entry }) => entry);
    this.#usage.sample(this.#host.table, entries);
    await this.#output.poll();
    void this.checkEnd(); // it may wait for the record, which must not delay the watch over others
  }

  /** Checks whether it has ended; if so, waits for its record. Otherwise the next poll finds out. */
  checkEnd(): Promise<void> {
    this.#ending ??= this.#checkEnd()
      .catch((error: unknown) => {
        this.#warn('cannot read how the process ended; trying again at the next poll', error);
      })
      .finally(() => {
        this.#ending = undefined;
      });
    return this.#ending;
  }

  async #checkEnd(): Promise<void> {
    const { launcher, agent, directory } = this.#started;
    if (this.#over) return;
    if (findAlive(this.#host.table, agent) !== undefined) {
      if (findAlive(this.#host.table, launcher) === undefined) this.#reportLostLauncher();
      return;
    }
    const record = await this.#finalRecord();
    if (this.#over) return; // detached meanwhile
    this.#release();
    this.#remembering = this.#rememberGroup().catch((error: unknown) => {
      this.#warn('cannot look for what the process left behind; only its marker leads to it now', error);
    });
    if (record?.cpuMs !== undefined) this.#usage.addCpu(record.cpuMs);
    const exit = record === undefined ? this.#unrecorded() : await recordedExit(directory, record);
    await this.channel?.finish();
    await this.#output.close();
    this.#started.enclosure.remove();
    const { cpuMs, peakMemoryBytes } = this.#usage;
    const endedAt = record?.recordedAt ?? this.#host.now();
    this.#exited.resolve(reportOf(exit, endedAt, { output: this.#output.bytes(), cpuMs, peakMemoryBytes }));
  }

  /** The record of an agent that is gone; undefined if none will come. */
  async #finalRecord(): Promise<RecordedExit | undefined> {
    const { launcher, directory } = this.#started;
    const since = performance.now();
    for (let pollMs = MIN_END_POLL_MS; !this.#over; pollMs = Math.min(2 * pollMs, MAX_END_POLL_MS)) {
      // Before its record is read: if the launcher is gone, the record is final.
      const living = findAlive(this.#host.table, launcher);
      const launcherGone = living === undefined;
      const record = directory.readExit();
      const endMs = living?.name === WAITING_NAME ? MAX_WAITING_MS : MAX_LAUNCHER_END_MS;
      const limitMs = record === undefined ? MAX_RECORD_MS : endMs;
      // A record that cannot be read may become readable: this process may have too many files open.
      const isFinal = launcherGone && directory.fault === undefined;
      if (isFinal || performance.now() - since > limitMs) return record;
      await pause(pollMs);
    }
    return undefined;
  }

  #unrecorded(): ProcessExit {
    if (this.#killer.sentKill) return { kind: 'signalled', signal: 'SIGKILL' };
    const { fault } = this.#started.directory;
    const reason =
      fault === undefined
        ? 'its launcher ended without a record of how the command ended: it was killed, or the disk is full'
        : `the record of how the command ended cannot be read: ${fault}`;
    this.#warn(reason);
    return { kind: 'lost', reason };
  }

  /**
   * The number of the launcher's group stays in use while a process is in it, so right after the end its members are what
   * the command left behind. Later the number could be reused, and only a marker would tell.
   */
  async #rememberGroup(): Promise<void> {
    const { launcher } = this.#started;
    if (!groupExists(launcher.pid)) return;
    const index = await this.#host.scans.scan();
    const leader = index.process(launcher.pid);
    if (leader !== undefined && !sameProcess(leader, launcher)) return;
    const members = [...index.group(launcher.pid), ...index.session(launcher.pid)];
    this.#killer.remember(
      members.filter((entry) => isAlive(entry) && Number(entry.startTime) >= Number(launcher.startTime)),
    );
  }

  #reportLostLauncher(): void {
    if (this.#launcherLost) return;
    this.#launcherLost = true;
    this.#warn('the launcher was killed; the command continues, but how it ends will not be known');
  }

  #warn(message: string, error?: unknown): void {
    this.#host.log.warn({ pid: this.identity.pid, ...(error !== undefined && { err: error }) }, message);
  }

  #release(): void {
    this.#over = true;
    this.#watcher.remove(this);
    this.#released();
  }
}

function groupExists(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}

async function describe(host: Host, entry: ProcessEntry): Promise<TreeEntry> {
  const { pid, ppid, startTime, state, name, cpuMs } = entry;
  const memoryBytes = host.table.memory(pid)?.nowBytes;
  return {
    pid,
    parentPid: ppid,
    startTime,
    state,
    command: (await host.table.commandLine(pid)) ?? name,
    ageMs: host.table.ageMs(entry),
    ...(cpuMs !== undefined && { cpuMs }),
    ...(memoryBytes !== undefined && { memoryBytes }),
  };
}

/** The memory and CPU time of a process tree, from samples. Undefined if no sample shows it. */
class UsageMeter {
  cpuMs: number | undefined;
  /** The larger of the highest sum over the tree in one sample, and the high-water mark of a single process. */
  peakMemoryBytes: number | undefined;

  sample(table: ProcessTable, entries: readonly ProcessEntry[]): void {
    let sumBytes = 0;
    for (const entry of entries.filter(isAlive)) {
      const memory = table.memory(entry.pid);
      if (memory === undefined) continue;
      sumBytes += memory.nowBytes;
      this.peakMemoryBytes = Math.max(this.peakMemoryBytes ?? 0, memory.peakBytes, sumBytes);
    }
    // The time of an ended process counts in the process that waited for it, so only a dying orphan lowers the sum.
    const measured = entries.flatMap(({ cpuMs }) => cpuMs ?? []);
    if (measured.length > 0) this.addCpu(measured.reduce((sum, cpuMs) => sum + cpuMs, 0));
  }

  addCpu(cpuMs: number): void {
    this.cpuMs = Math.max(this.cpuMs ?? 0, cpuMs);
  }
}
