/**
 * Kills all processes of one attempt: SIGTERM, grace, SIGKILL, until two scans of the process table find nothing.
 *
 * Invariant kill/proved-by-evidence: `survivors: 0` is reported only after two scans in a row that found nothing, and if what
 * keeps the processes together (enclosure.ts) proves that none is left; otherwise it is `unknown`. Every process that was found
 * is known by pid and start time from then on, wherever it moves. The launcher gets no SIGKILL as long as it can still record
 * how the agent ended, nor do the processes that copy the output for it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Enclosure } from '../containment/enclosure.ts';
import type { Host } from '../host/host.ts';
import { findOwned, type OwnedProcess, partsOfLauncher } from '../host/ownership.ts';
import type { ProcessEntry, ProcessKey } from '../host/process-table.ts';
import { findAlive, isAlive, processKey, sameProcess } from '../host/process-table.ts';
import type { FoundProcess, KillEvidence, KillOptions, SentSignal } from '../runner.ts';

/** Everything that leads to the processes of one attempt. */
export interface KillTarget {
  /** Absent if it never identified itself: then only the marker leads to what may be left. */
  readonly launcher?: ProcessKey;
  readonly agent?: ProcessKey;
  readonly marker: string;
  readonly enclosure: Enclosure;
}

/** Scans in a row that have to find nothing: a process may fork during one scan. */
const CLEAN_SCANS = 2;
/** Processes that are alive after SIGKILL was sent for this long are reported as survivors. */
const MAX_FORCE_MS = 5000;
/**
 * From this round on whole groups get a signal in one call, which also ends a fork bomb: SIGKILL, or SIGSTOP if the launcher
 * is in it. Its members are killed one by one then, so that the launcher stays the parent of all orphans.
 */
const GROUP_KILL_ROUND = 3;
/** From this round on the group of the launcher gets SIGKILL, too. */
const LAST_ROUND = 8;
/** How long a round waits for the processes that it killed, and for the launcher to record the end. */
const ROUND_MS = 1000;
/** How long the launcher may take to record the end, and that nothing is left. */
const MAX_PARTS_MS = 10_000;
/** The same by search: it may wait in vain for output that a process holds open which is not found. */
const MAX_PARTS_SEARCH_MS = 3000;
const MIN_POLL_MS = 2;
const MAX_POLL_MS = 100;
const MAX_LISTED = 64;

/** One kill, from its first scan to its evidence. */
class KillRun {
  readonly #host: Host;
  readonly #target: KillTarget;
  readonly #known = new Map<string, ProcessKey>();
  readonly #noted = new Set<string>();
  readonly #terminated = new Set<string>();
  readonly #evidence = {
    startedAt: 0,
    endedAt: 0,
    survivors: 0 as KillEvidence['survivors'],
    rounds: 0,
    signals: [] as SentSignal[],
    signalCount: 0,
    processes: [] as FoundProcess[],
    processCount: 0,
  };
  #graceMs: number;
  #termAt: number | undefined;
  #forcedAt: number | undefined;
  #forceRounds = 0;
  /** Of the launcher, in the last scan. */
  #parts: ReadonlySet<ProcessEntry> = new Set();
  /** Whether the agent or its launcher was sent SIGKILL. */
  sentKill = false;

  constructor(host: Host, target: KillTarget, leftBehind: readonly ProcessKey[], options: KillOptions) {
    this.#host = host;
    this.#target = target;
    this.#graceMs = options.graceMs;
    for (const key of [target.launcher, target.agent, ...leftBehind]) {
      if (key !== undefined) this.#known.set(processKey(key), key);
    }
  }

  shorten(options: KillOptions): void {
    const waitedMs = this.#termAt === undefined ? 0 : performance.now() - this.#termAt;
    this.#graceMs = Math.min(this.#graceMs, waitedMs + options.graceMs);
  }

  async run(): Promise<KillEvidence> {
    const evidence = this.#evidence;
    evidence.startedAt = this.#host.now();
    let living: OwnedProcess[] = [];
    for (let cleanScans = 0; cleanScans < CLEAN_SCANS; ) {
      living = await this.#scan();
      const isClean = living.length === 0 && this.#target.enclosure.isEmpty() !== false;
      cleanScans = isClean ? cleanScans + 1 : 0;
      if (isClean) continue;
      if (this.#isInGrace()) await this.#terminate(living.map(({ entry }) => entry));
      else if (performance.now() < this.#forceEnd()) await this.#force(living);
      else break;
    }
    const { enclosure } = this.#target;
    const survivors = living.length > 0 ? living.length : leftIn(enclosure);
    if (survivors === 0) enclosure.remove();
    return { ...evidence, containment: enclosure.containment, endedAt: this.#host.now(), survivors };
  }

  /** The living processes of the attempt. */
  async #scan(): Promise<OwnedProcess[]> {
    this.#evidence.rounds += 1;
    const since = this.#target.launcher?.startTime ?? '0';
    const index = await this.#host.scans.scan(since);
    const { marker, enclosure, agent } = this.#target;
    const known = this.#known.values();
    const claim = { known, marker, enclosed: enclosure.pids(), since, own: this.#host.own };
    const living = findOwned(index, claim).filter(({ entry }) => isAlive(entry));
    const entries = living.map(({ entry }) => entry);
    enclosure.observe(entries, agent);
    this.#parts = partsOfLauncher(entries, this.#target.launcher, agent);
    for (const owned of living) {
      // Those that copy the output for the launcher are no processes of the agent.
      if (!this.#parts.has(owned.entry) || this.#isLauncher(owned.entry)) await this.#note(owned);
    }
    return living;
  }

  async #note({ entry, foundBy }: OwnedProcess): Promise<void> {
    const { pid, startTime } = entry;
    const id = processKey(entry);
    if (this.#noted.has(id)) return;
    this.#noted.add(id);
    this.#known.set(id, { pid, startTime });
    this.#evidence.processCount += 1;
    if (this.#evidence.processes.length >= MAX_LISTED) return;
    const command = (await this.#host.table.commandLine(pid)) ?? entry.name;
    this.#evidence.processes.push({ pid, startTime, command, foundBy });
  }

  /** The grace begins with the first SIGTERM. */
  #isInGrace(): boolean {
    if (this.#termAt === undefined) return this.#graceMs > 0;
    return performance.now() < this.#termAt + this.#graceMs;
  }

  #forceEnd(): number {
    this.#forcedAt ??= performance.now();
    return this.#forcedAt + MAX_FORCE_MS;
  }

  /** Sends SIGTERM once to each process: for some programs a second one means "at once". */
  async #terminate(living: readonly ProcessEntry[]): Promise<void> {
    this.#termAt ??= performance.now();
    const group = this.#target.launcher?.pid;
    const members = this.#terminated.size === 0 ? living.filter((entry) => entry.pgid === group) : [];
    if (group !== undefined && members.length > 0) {
      this.#record(this.#host.signaller.toGroup(group, members, 'SIGTERM'));
      for (const entry of members) this.#terminated.add(processKey(entry));
    }
    for (const entry of living.filter((other) => !this.#terminated.has(processKey(other)))) {
      this.#record(this.#host.signaller.toProcess(entry, 'SIGTERM'));
      this.#terminated.add(processKey(entry));
    }
    this.#resume(living);
    await this.#gone(living, () => (this.#termAt ?? 0) + this.#graceMs);
  }

  async #force(living: readonly OwnedProcess[]): Promise<void> {
    this.#forceRounds += 1;
    const roundEnd = performance.now() + ROUND_MS;
    const entries = living.map(({ entry }) => entry);
    const parts = entries.filter((entry) => this.#parts.has(entry));
    const others = entries.filter((entry) => !this.#parts.has(entry));
    if (await this.#killEnclosed(others, roundEnd)) return;
    if (others.length === 0) {
      this.#resume(parts);
      const partsEnd =
        performance.now() +
        (this.#target.enclosure.containment === 'search' ? MAX_PARTS_SEARCH_MS : MAX_PARTS_MS);
      if (await this.#gone(parts, () => partsEnd)) return; // it recorded the end and the last output
      for (const entry of parts) this.#killOne(entry);
    }
    if (this.#forceRounds >= GROUP_KILL_ROUND) this.#killGroups(living);
    for (const entry of others) this.#killOne(entry);
    await this.#gone(others, () => roundEnd);
  }

  /** Ends all at once, if there is a way. @returns whether all are gone now that were found */
  async #killEnclosed(others: readonly ProcessEntry[], roundEnd: number): Promise<boolean> {
    const { enclosure, agent } = this.#target;
    const sent = enclosure.killAll();
    if (sent === undefined) return false;
    this.sentKill ||= sent.refused === undefined && others.some((entry) => sameProcess(agent, entry));
    this.#record(sent);
    for (let pollMs = MIN_POLL_MS; enclosure.isEmpty() === false; pollMs *= 2) {
      if (performance.now() + pollMs > roundEnd) return false;
      await pause(pollMs);
    }
    return this.#gone(others, () => roundEnd);
  }

  /** A signal to a group reaches all its members at once, also those that were forked since the scan. */
  #killGroups(living: readonly OwnedProcess[]): void {
    const whole = living.filter(({ ownsGroup }) => ownsGroup).map(({ entry }) => entry);
    for (const group of new Set(whole.map(({ pgid }) => pgid))) {
      const members = whole.filter(({ pgid }) => pgid === group);
      const isOfLauncher = group === this.#target.launcher?.pid && this.#forceRounds < LAST_ROUND;
      const signal = isOfLauncher ? 'SIGSTOP' : 'SIGKILL';
      const sent = this.#host.signaller.toGroup(group, members, signal);
      if (signal === 'SIGKILL')
        this.sentKill ||= sent !== undefined && members.some((entry) => this.#endsTheRun(entry));
      this.#record(sent);
    }
  }

  #killOne(entry: ProcessEntry): void {
    const sent = this.#host.signaller.toProcess(entry, 'SIGKILL');
    this.sentKill ||= sent !== undefined && this.#endsTheRun(entry);
    this.#record(sent);
  }

  /** A stopped process handles no signal but SIGKILL until it is resumed. */
  #resume(entries: readonly ProcessEntry[]): void {
    for (const entry of entries) {
      if (entry.state === 'T') this.#record(this.#host.signaller.toProcess(entry, 'SIGCONT'));
    }
  }

  /** Waits until none of them is alive; false if some are still alive at `end`. */
  async #gone(entries: readonly ProcessEntry[], end: () => number): Promise<boolean> {
    let pollMs = MIN_POLL_MS;
    for (const entry of entries) {
      while (findAlive(this.#host.table, entry) !== undefined) {
        const leftMs = end() - performance.now();
        if (leftMs <= 0) return false;
        await pause(Math.min(pollMs, leftMs));
        pollMs = Math.min(pollMs * 2, MAX_POLL_MS);
      }
    }
    return true;
  }

  #isLauncher(entry: ProcessEntry): boolean {
    return sameProcess(this.#target.launcher, entry);
  }

  #endsTheRun(entry: ProcessEntry): boolean {
    return this.#isLauncher(entry) || sameProcess(this.#target.agent, entry);
  }

  #record(signal: SentSignal | undefined): void {
    if (signal === undefined) return;
    this.#evidence.signalCount += 1;
    if (this.#evidence.signals.length < MAX_LISTED) this.#evidence.signals.push(signal);
  }
}

/** How many processes are in it, though none was found. */
function leftIn(enclosure: Enclosure): KillEvidence['survivors'] {
  const isEmpty = enclosure.isEmpty();
  if (isEmpty === undefined) return 'unknown';
  return isEmpty ? 0 : Math.max(1, enclosure.pids().length);
}

/** Kills one attempt's processes, one run at a time; later calls join the run that is under way. */
export class Killer {
  readonly #host: Host;
  readonly #target: KillTarget;
  #leftBehind: readonly ProcessKey[] = [];
  #current: { readonly run: KillRun; readonly evidence: Promise<KillEvidence> } | undefined;
  #sentKill = false;

  constructor(host: Host, target: KillTarget) {
    this.#host = host;
    this.#target = target;
  }

  /** Whether this killer ended the agent, or the launcher that would have recorded its end. */
  get sentKill(): boolean {
    return this.#sentKill || (this.#current?.run.sentKill ?? false);
  }

  /** Adds processes that were in the launcher's group or session when it ended: nothing else may lead to them later. */
  remember(leftBehind: readonly ProcessKey[]): void {
    this.#leftBehind = leftBehind;
  }

  kill(options: KillOptions): Promise<KillEvidence> {
    if (this.#current !== undefined) {
      this.#current.run.shorten(options);
      return this.#current.evidence;
    }
    const run = new KillRun(this.#host, this.#target, this.#leftBehind, options);
    const evidence = run.run().finally(() => {
      this.#sentKill ||= run.sentKill;
      this.#current = undefined;
    });
    this.#current = { run, evidence };
    return evidence;
  }
}
