import { setTimeout as pause } from 'node:timers/promises';
import type { AttemptDirectory, SpecRecord } from './files/attempt-directory.ts';
import { recordedExit, reportOf } from './files/exit-report.ts';
import { OutputFiles } from './files/output-files.ts';
import { type Host, identityOf } from './host/host.ts';
import { findOwned } from './host/ownership.ts';
import type { ProcessIndex } from './host/process-index.ts';
import { findAlive, isAlive, type ProcessKey, sameProcess } from './host/process-table.ts';
import { treeOf } from './host/tree.ts';
import { Killer } from './kill/killer.ts';
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
import { UsageMeter } from './usage-meter.ts';
import type { Watched, Watcher } from './watcher.ts';

/** How long a launcher that has recorded the end may take to end itself. */
const LAUNCHER_END_MS_MAX = 1000;

export interface StartedProcess {
  readonly directory: AttemptDirectory;
  readonly spec: SpecRecord;
  readonly launcher: ProcessKey;
  readonly agent: ProcessKey;
  /** Epoch milliseconds. */
  readonly startedAt: number;
}

/**
 * A started process, whether this runner is its parent or has adopted it.
 *
 * W1. It has ended when its launcher has recorded the end, or when launcher and agent are gone.
 * W2. The launcher is looked at before its record is read: if it is gone, what is missing then will not come.
 */
export class SupervisedProcess implements ManagedProcess, Watched {
  readonly identity: ProcessIdentity;
  readonly group: number;
  readonly startedAt: number;
  readonly exited: Promise<ExitReport>;
  readonly #host: Host;
  readonly #watcher: Watcher;
  readonly #started: StartedProcess;
  readonly #output: OutputFiles;
  readonly #usage = new UsageMeter();
  readonly #killer: Killer;
  readonly #released: () => void;
  #resolveExited: (report: ExitReport) => void = () => {};
  #over = false;
  #launcherMissed = false;
  #remembering: Promise<void> | undefined;

  /** @param released called once, when it ended or was detached */
  constructor(host: Host, watcher: Watcher, started: StartedProcess, released: () => void) {
    const { directory, spec, launcher, agent } = started;
    this.#host = host;
    this.#watcher = watcher;
    this.#started = started;
    this.#released = released;
    this.identity = identityOf(host, agent);
    this.group = launcher.pid;
    this.startedAt = started.startedAt;
    this.#output = new OutputFiles(directory, spec.maxOutputBytes, host.log);
    this.#killer = new Killer(host, { launcher, agent, marker: spec.marker });
    this.exited = new Promise((resolve) => {
      this.#resolveExited = resolve;
    });
    watcher.add(this);
  }

  outputBytes(): OutputBytes {
    return this.#output.bytes();
  }

  async kill(options: KillOptions): Promise<KillEvidence> {
    await this.#remembering;
    const evidence = await this.#killer.kill(options);
    const { pid } = this.identity;
    if (evidence.survivors > 0) this.#host.log.error({ pid, evidence }, 'a kill left survivors');
    await this.checkEnd();
    return evidence;
  }

  async tree(): Promise<readonly TreeEntry[]> {
    const { launcher, agent, spec } = this.#started;
    return treeOf(this.#host, { launcher, agent, marker: spec.marker });
  }

  detach(): void {
    if (!this.#over) this.#release();
  }

  async observe(index: ProcessIndex): Promise<void> {
    const { launcher, agent } = this.#started;
    const owned = findOwned(index, {
      known: [launcher, agent],
      since: launcher.startTime,
      own: this.#host.own,
    });
    this.#usage.sample(
      this.#host.table,
      owned.map(({ entry }) => entry),
    );
    await this.#output.look();
    await this.checkEnd();
  }

  /** Looks whether it has ended. To be called when there is a reason to think so; otherwise the next look finds it. */
  async checkEnd(): Promise<void> {
    try {
      await this.#checkEnd();
    } catch (error) {
      this.#host.log.warn(
        { err: error, pid: this.identity.pid },
        'its end cannot be read; the next look tries again',
      );
    }
  }

  async #checkEnd(): Promise<void> {
    const { launcher, agent, directory } = this.#started;
    if (this.#over) return;
    const launcherGone = findAlive(this.#host.table, launcher) === undefined; // W2
    const record = directory.readExit();
    if (record === undefined && !launcherGone) return;
    if (record === undefined && findAlive(this.#host.table, agent) !== undefined) return this.#missLauncher();
    this.#release();
    this.#remembering = this.#rememberGroup().catch((error: unknown) => {
      this.#host.log.warn(
        { err: error, pid: this.identity.pid },
        'what it left behind is only found by its marker',
      );
    });
    if (record?.cpuMs !== undefined) this.#usage.addCpu(record.cpuMs);
    const exit = record === undefined ? this.#unrecorded() : await recordedExit(directory, record);
    await this.#output.close();
    const { cpuMs, peakMemoryBytes } = this.#usage;
    const endedAt = record?.recordedAt ?? this.#host.now();
    this.#resolveExited(reportOf(exit, endedAt, { output: this.#output.bytes(), cpuMs, peakMemoryBytes }));
  }

  #unrecorded(): ProcessExit {
    if (this.#killer.sentKill) return { kind: 'signalled', signal: 'SIGKILL' };
    const reason =
      'its launcher ended without a record of how the command ended: it was killed, or the disk is full';
    this.#host.log.warn({ pid: this.identity.pid }, reason);
    return { kind: 'lost', reason };
  }

  /**
   * The number of the launcher's group stays taken while anything is in it, so right after the end its members are
   * what the command left behind. Later the number could be another's, and only a marker would tell.
   */
  async #rememberGroup(): Promise<void> {
    const { launcher } = this.#started;
    const end = performance.now() + LAUNCHER_END_MS_MAX;
    while (findAlive(this.#host.table, launcher) !== undefined && performance.now() < end) await pause(1);
    if (!groupExists(launcher.pid)) return;
    const index = await this.#host.scans.scan();
    const leader = index.process(launcher.pid);
    if (leader !== undefined && !sameProcess(leader, launcher)) return;
    const members = [...index.group(launcher.pid), ...index.session(launcher.pid)];
    this.#killer.remember(
      members.filter((entry) => isAlive(entry) && Number(entry.startTime) >= Number(launcher.startTime)),
    );
  }

  #missLauncher(): void {
    if (this.#launcherMissed) return;
    this.#launcherMissed = true;
    const { pid } = this.identity;
    this.#host.log.warn(
      { pid },
      'the launcher was killed; the command runs on, but how it ends will not be known',
    );
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
