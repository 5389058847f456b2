import { setTimeout as pause } from 'node:timers/promises';
import type { Host } from '../host/host.ts';
import { findOwned, type OwnedProcess } from '../host/ownership.ts';
import type { ProcessEntry, ProcessKey } from '../host/process-table.ts';
import { findAlive, isAlive, keyOf, sameProcess } from '../host/process-table.ts';
import type { FoundProcess, KillEvidence, KillOptions, SentSignal } from '../runner.ts';

/** All that leads to the processes of one attempt. */
export interface KillTarget {
  /** Absent if it never identified itself; then only the marker leads to what may be left. */
  readonly launcher?: ProcessKey;
  readonly agent?: ProcessKey;
  readonly marker: string;
}

/** Looks at the process table that have to find nothing, one after the other: a process may fork during one look. */
const CLEAN_LOOKS = 2;
/** After this time of SIGKILL what is left is reported as surviving. */
const FORCE_MS_MAX = 5000;
/** From this round on whole groups get the signal in one call, launcher included: that ends a fork bomb as well. */
const GROUP_KILL_ROUND = 3;
/** How long a round waits for what it killed, and for the launcher to record the end. */
const ROUND_MS = 1000;
const POLL_MS_MIN = 2;
const POLL_MS_MAX = 100;
const LIST_MAX = 64;

/**
 * One kill: SIGTERM, grace, SIGKILL, until two looks at the process table find nothing.
 *
 * K3. Every process that was found is known by pid and start time from then on, wherever it moves.
 * K4. The launcher gets no SIGKILL as long as it can still record how the agent ended.
 * K5. `survivors: 0` is only said after two looks that found nothing.
 */
export class KillRun {
  readonly #host: Host;
  readonly #target: KillTarget;
  readonly #known = new Map<string, ProcessKey>();
  readonly #noted = new Set<string>();
  readonly #asked = new Set<string>();
  readonly #processes: FoundProcess[] = [];
  readonly #signals: SentSignal[] = [];
  #signalCount = 0;
  #rounds = 0;
  #graceMs: number;
  #askedAt: number | undefined;
  #forcedAt: number | undefined;
  #forceRounds = 0;
  #sentKill = false;

  constructor(host: Host, target: KillTarget, leftBehind: readonly ProcessKey[], options: KillOptions) {
    this.#host = host;
    this.#target = target;
    this.#graceMs = options.graceMs;
    for (const key of [target.launcher, target.agent, ...leftBehind]) {
      if (key !== undefined) this.#known.set(keyOf(key), key);
    }
  }

  /** True as soon as a SIGKILL went to the agent or to its launcher. */
  get sentKill(): boolean {
    return this.#sentKill;
  }

  shorten(options: KillOptions): void {
    const waitedMs = this.#askedAt === undefined ? 0 : performance.now() - this.#askedAt;
    this.#graceMs = Math.min(this.#graceMs, waitedMs + options.graceMs);
  }

  async run(): Promise<KillEvidence> {
    const startedAt = this.#host.now();
    let living: OwnedProcess[] = [];
    for (let cleanLooks = 0; cleanLooks < CLEAN_LOOKS; ) {
      living = await this.#look();
      cleanLooks = living.length === 0 ? cleanLooks + 1 : 0;
      if (living.length === 0) continue;
      if (this.#isPatient()) await this.#ask(living.map(({ entry }) => entry));
      else if (performance.now() < this.#forceEnd()) await this.#force(living);
      else break;
    }
    return {
      startedAt,
      endedAt: this.#host.now(),
      survivors: living.length,
      rounds: this.#rounds,
      signals: this.#signals,
      signalCount: this.#signalCount,
      processes: this.#processes,
      processCount: this.#noted.size,
    };
  }

  /** What is alive now of all that belongs to the attempt. */
  async #look(): Promise<OwnedProcess[]> {
    this.#rounds += 1;
    const since = this.#target.launcher?.startTime ?? '0';
    const index = await this.#host.scans.scan(since);
    const claim = { known: this.#known.values(), marker: this.#target.marker, since, own: this.#host.own };
    const living = findOwned(index, claim).filter(({ entry }) => isAlive(entry));
    for (const owned of living) await this.#note(owned);
    return living;
  }

  /** K3 */
  async #note({ entry, foundBy }: OwnedProcess): Promise<void> {
    const { pid, startTime } = entry;
    const id = keyOf(entry);
    if (this.#noted.has(id)) return;
    this.#noted.add(id);
    this.#known.set(id, { pid, startTime });
    if (this.#processes.length >= LIST_MAX) return;
    const command = (await this.#host.table.commandLine(pid)) ?? entry.name;
    this.#processes.push({ pid, startTime, command, foundBy });
  }

  /** The grace begins when the first process is asked. */
  #isPatient(): boolean {
    if (this.#askedAt === undefined) return this.#graceMs > 0;
    return performance.now() < this.#askedAt + this.#graceMs;
  }

  #forceEnd(): number {
    this.#forcedAt ??= performance.now();
    return this.#forcedAt + FORCE_MS_MAX;
  }

  /** Each process is asked once: to some programs a second SIGTERM means "at once". */
  async #ask(living: readonly ProcessEntry[]): Promise<void> {
    this.#askedAt ??= performance.now();
    const group = this.#target.launcher?.pid;
    const members = this.#asked.size === 0 ? living.filter((entry) => entry.pgid === group) : [];
    if (group !== undefined && members.length > 0) {
      this.#record(this.#host.signaller.toGroup(group, members, 'SIGTERM'));
      for (const entry of members) this.#asked.add(keyOf(entry));
    }
    for (const entry of living.filter((other) => !this.#asked.has(keyOf(other)))) {
      this.#record(this.#host.signaller.toProcess(entry, 'SIGTERM'));
      this.#asked.add(keyOf(entry));
    }
    this.#resume(living);
    await this.#gone(living, () => (this.#askedAt ?? 0) + this.#graceMs);
  }

  async #force(living: readonly OwnedProcess[]): Promise<void> {
    this.#forceRounds += 1;
    const roundEnd = performance.now() + ROUND_MS;
    const launcher = living.find(({ entry }) => this.#isLauncher(entry))?.entry;
    const others = living.map(({ entry }) => entry).filter((entry) => entry !== launcher);
    if (launcher !== undefined && others.length === 0) {
      this.#resume([launcher]);
      if (await this.#gone([launcher], () => roundEnd)) return; // K4
      this.#killOne(launcher);
    }
    if (this.#forceRounds >= GROUP_KILL_ROUND) this.#killGroups(living);
    for (const entry of others) this.#killOne(entry);
    await this.#gone(others, () => roundEnd);
  }

  /** A signal to a group reaches all its members in one moment, also those that were forked since the look. */
  #killGroups(living: readonly OwnedProcess[]): void {
    const whole = living.filter(({ ownsGroup }) => ownsGroup).map(({ entry }) => entry);
    for (const group of new Set(whole.map(({ pgid }) => pgid))) {
      const members = whole.filter(({ pgid }) => pgid === group);
      const sent = this.#host.signaller.toGroup(group, members, 'SIGKILL');
      this.#sentKill ||= sent !== undefined && members.some((entry) => this.#tellsTheEnd(entry));
      this.#record(sent);
    }
  }

  #killOne(entry: ProcessEntry): void {
    const sent = this.#host.signaller.toProcess(entry, 'SIGKILL');
    this.#sentKill ||= sent !== undefined && this.#tellsTheEnd(entry);
    this.#record(sent);
  }

  /** A stopped process takes no signal but SIGKILL until it goes on. */
  #resume(entries: readonly ProcessEntry[]): void {
    for (const entry of entries) {
      if (entry.state === 'T') this.#record(this.#host.signaller.toProcess(entry, 'SIGCONT'));
    }
  }

  /** Waits until none of them is alive; false if some still are at the end. */
  async #gone(entries: readonly ProcessEntry[], end: () => number): Promise<boolean> {
    let pollMs = POLL_MS_MIN;
    for (const entry of entries) {
      while (findAlive(this.#host.table, entry) !== undefined) {
        const leftMs = end() - performance.now();
        if (leftMs <= 0) return false;
        await pause(Math.min(pollMs, leftMs));
        pollMs = Math.min(pollMs * 2, POLL_MS_MAX);
      }
    }
    return true;
  }

  #isLauncher(entry: ProcessEntry): boolean {
    return sameProcess(this.#target.launcher, entry);
  }

  #tellsTheEnd(entry: ProcessEntry): boolean {
    return this.#isLauncher(entry) || sameProcess(this.#target.agent, entry);
  }

  #record(signal: SentSignal | undefined): void {
    if (signal === undefined) return;
    this.#signalCount += 1;
    if (this.#signals.length < LIST_MAX) this.#signals.push(signal);
  }
}
