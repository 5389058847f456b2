/** The processes that exist on this machine: read from /proc on Linux, from `ps` on macOS. */

/** A pid with the start time that makes it unique while the machine runs. */
export interface ProcessKey {
  readonly pid: number;
  readonly startTime: string;
}

export interface ProcessEntry extends ProcessKey {
  readonly ppid: number;
  readonly pgid: number;
  /** 0 if the system does not tell. */
  readonly sid: number;
  readonly state: string;
  /** Short name of the program. */
  readonly name: string;
  /** CPU time of the process and of the children that it waited for. */
  readonly cpuMs?: number;
  /** True between fork and exec: the process still runs its parent's program. Absent if the system does not tell. */
  readonly beforeExec?: boolean;
  /** Markers in its environment, outermost first, if they were asked for and could be read. */
  readonly markers?: readonly string[];
}

export interface Memory {
  readonly nowBytes: number;
  readonly peakBytes: number;
}

export interface ProcessTable {
  /** All processes. Reads the markers of those that started at or after `markersSince`; without it, of none. */
  scan(query: { readonly markersSince?: string }): Promise<readonly ProcessEntry[]>;
  /** One process as it is now: without an `await` before a signal, the signal reaches the process that was read. */
  lookup(pid: number): ProcessEntry | undefined;
  /** The process that the launcher described in a line of its records. */
  parseRecord(line: string): ProcessKey | undefined;
  /** Milliseconds since the process started. */
  ageMs(process: ProcessKey): number;
  /** The markers in the environment of a process; undefined if they cannot be read one by one. */
  markers(pid: number): readonly string[] | undefined;
  commandLine(pid: number): Promise<string | undefined>;
  memory(pid: number): Memory | undefined;
  bootId(): string | undefined;
}

export function sameProcess(a: ProcessKey | undefined, b: ProcessKey): boolean {
  return a !== undefined && a.pid === b.pid && a.startTime === b.startTime;
}

/** The key of a process in maps: `pid@startTime`. */
export function processKey(process: ProcessKey): string {
  return `${process.pid}@${process.startTime}`;
}

/** False for a zombie: it runs no program and waits for its parent to read its exit status. */
export function isAlive(entry: ProcessEntry | undefined): entry is ProcessEntry {
  return entry !== undefined && entry.state !== 'Z' && entry.state !== 'X';
}

/** The living process with this pid and start time; a later process with the same pid does not count. */
export function findAlive(table: ProcessTable, key: ProcessKey): ProcessEntry | undefined {
  const entry = table.lookup(key.pid);
  return isAlive(entry) && sameProcess(entry, key) ? entry : undefined;
}
