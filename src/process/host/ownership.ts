/**
 * Which processes belong to an attempt.
 *
 * Invariant process/ownership-by-start-time: a process belongs to an attempt because its pid and start time are known,
 * because it carries the attempt's marker, is in its cgroup, or through such a process (as a child, or in its group or session). The number
 * of a group or session counts only while an owned process is in it (the system does not reuse the number then), and not
 * if the process with that number exists and is not owned. Nothing that started before the launcher belongs to the
 * attempt, and neither does this process or anything in its group.
 */
import type { FoundBy } from '../runner.ts';
import type { ProcessEntry, ProcessKey } from './process-table.ts';
import { sameProcess } from './process-table.ts';
import type { ProcessIndex } from './scans.ts';

export interface Claim {
  /** Processes known by pid and start time: the launcher, the agent, and those found before. */
  readonly known: Iterable<ProcessKey>;
  /** Absent: markers are not looked at. */
  readonly marker?: string;
  /** Processes that the system keeps together with those of the attempt. */
  readonly enclosed?: readonly number[];
  /** Start time of the launcher. */
  readonly since: string;
  readonly own: OwnProcess;
}

/** The numbers of this process. */
export interface OwnProcess {
  readonly pid: number;
  readonly pgid: number;
  readonly sid: number;
}

export interface OwnedProcess {
  readonly entry: ProcessEntry;
  readonly foundBy: FoundBy;
  /** Whether its whole group belongs to the attempt. */
  readonly ownsGroup: boolean;
}

/** Zombies are included: they keep the number of a group in use, and lead to their children. */
export function findOwned(index: ProcessIndex, claim: Claim): OwnedProcess[] {
  const search = new OwnershipSearch(index, claim);
  for (const key of claim.known) {
    const entry = index.process(key.pid);
    if (entry !== undefined && sameProcess(entry, key)) search.add(entry, 'known');
  }
  if (claim.marker !== undefined) {
    for (const entry of index.marked(claim.marker)) search.add(entry, 'marker');
  }
  for (const pid of claim.enclosed ?? []) {
    const entry = index.process(pid);
    if (entry !== undefined) search.add(entry, 'cgroup');
  }
  return search.complete();
}

/**
 * The launcher, and its parts among these processes: they copy the output, and end when nothing can print any more. The
 * agent is the only child of the launcher that has executed a program. What it started is younger than it is, also if it is a
 * child of the launcher now.
 */
export function partsOfLauncher(
  entries: readonly ProcessEntry[],
  launcher: ProcessKey | undefined,
  agent?: ProcessKey,
): ReadonlySet<ProcessEntry> {
  const parts = new Set<ProcessEntry>();
  if (launcher === undefined) return parts;
  const byPid = new Map(entries.map((entry) => [entry.pid, entry]));
  const known = new Map<number, boolean>();
  /** Whether it has executed no program since the launcher, nor has any process between them. */
  const isForked = (entry: ProcessEntry): boolean => {
    const way: number[] = [];
    let at: ProcessEntry | undefined = entry;
    let result = false;
    while (at !== undefined && !known.has(at.pid)) {
      way.push(at.pid);
      known.set(at.pid, false); // a scan is no picture of one moment: parents may form a ring
      if (at.beforeExec !== true) break;
      result = at.ppid === launcher.pid && isOlder(at, agent);
      if (result) break;
      at = byPid.get(at.ppid);
    }
    result ||= at !== undefined && at.beforeExec === true && known.get(at.pid) === true;
    for (const pid of way) known.set(pid, result);
    return result;
  };
  for (const entry of entries) {
    if (sameProcess(launcher, entry)) parts.add(entry);
    else if (entry.pgid === launcher.pid) {
      const first = entry.beforeExec === true ? entry : byPid.get(entry.ppid);
      if (first !== undefined && isForked(first)) parts.add(entry);
    }
  }
  return parts;
}

/** The kernel counts hundredths of a second. Within one, a higher pid is younger. */
function isOlder(entry: ProcessKey, agent: ProcessKey | undefined): boolean {
  if (agent === undefined) return true;
  const difference = Number(entry.startTime) - Number(agent.startTime);
  return difference === 0 ? entry.pid < agent.pid : difference < 0;
}

class OwnershipSearch {
  readonly #index: ProcessIndex;
  readonly #claim: Claim;
  readonly #owned = new Map<number, Omit<OwnedProcess, 'ownsGroup'>>();
  readonly #queue: ProcessEntry[] = [];
  /** Groups and sessions with an owned process in them, whose number is that of a process not known to be owned. */
  readonly #unconfirmed = new Set<number>();
  readonly #ownedGroups = new Set<number>();

  constructor(index: ProcessIndex, claim: Claim) {
    this.#index = index;
    this.#claim = claim;
  }

  add(entry: ProcessEntry, foundBy: FoundBy): void {
    if (this.#owned.has(entry.pid) || !this.#mayBelong(entry)) return;
    this.#owned.set(entry.pid, { entry, foundBy });
    this.#queue.push(entry);
  }

  complete(): OwnedProcess[] {
    for (let entry = this.#queue.pop(); entry !== undefined; entry = this.#queue.pop()) {
      for (const child of this.#index.children(entry.pid)) this.add(child, 'descent');
      this.#considerGroup(entry.pgid);
      this.#considerGroup(entry.sid);
      if (this.#unconfirmed.has(entry.pid)) this.#takeGroup(entry.pid);
    }
    return [...this.#owned.values()].map((owned) => ({
      ...owned,
      ownsGroup: this.#ownedGroups.has(owned.entry.pgid),
    }));
  }

  #considerGroup(number: number): void {
    const { own } = this.#claim;
    if (number <= 1 || number === own.pgid || number === own.sid) return;
    if (this.#owned.has(number) || this.#index.process(number) === undefined) this.#takeGroup(number);
    else this.#unconfirmed.add(number);
  }

  #takeGroup(number: number): void {
    if (this.#ownedGroups.has(number)) return;
    this.#ownedGroups.add(number);
    for (const entry of this.#index.group(number)) this.add(entry, 'group');
    for (const entry of this.#index.session(number)) this.add(entry, 'session');
  }

  #mayBelong(entry: ProcessEntry): boolean {
    const { own, since } = this.#claim;
    if (entry.pid <= 1 || entry.pid === own.pid || entry.pgid === own.pgid) return false;
    return Number(entry.startTime) >= Number(since);
  }
}
