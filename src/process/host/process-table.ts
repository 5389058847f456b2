/** The seam to the system: which processes exist. Linux reads /proc, macOS runs `ps`. */

/** A pid with the start time that makes it unique as long as the machine runs. */
export interface ProcessKey {
  readonly pid: number;
  readonly startTime: string;
}

export interface ProcessEntry extends ProcessKey {
  readonly ppid: number;
  readonly pgid: number;
  /** 0 where the system does not tell. */
  readonly sid: number;
  readonly state: string;
  /** Short name of the program. */
  readonly name: string;
  /** CPU time of the process and of its children that it waited for. */
  readonly cpuMs?: number;
  /** True between fork and exec: the process still runs its parent's program. Absent where the system does not tell. */
  readonly beforeExec?: boolean;
  /** Markers in its environment, outermost first, if they were asked for and could be read. */
  readonly markers?: readonly string[];
}

export interface Memory {
  readonly nowBytes: number;
  readonly peakBytes: number;
}

export interface ProcessTable {
  /** All processes. Markers are read only of processes that started at or after `markersSince`; without it, of none. */
  scan(query: { readonly markersSince?: string }): Promise<readonly ProcessEntry[]>;
  /** One process, at this very moment: without an `await` between it and a signal, the signal hits what was looked at. */
  lookup(pid: number): ProcessEntry | undefined;
  /** The process that the launcher described in one line of its own. */
  parseRecord(line: string): ProcessKey | undefined;
  /** Milliseconds since the process started. */
  ageMs(process: ProcessKey): number;
  commandLine(pid: number): Promise<string | undefined>;
  memory(pid: number): Memory | undefined;
  bootId(): string | undefined;
}

export function sameProcess(a: ProcessKey | undefined, b: ProcessKey): boolean {
  return a !== undefined && a.pid === b.pid && a.startTime === b.startTime;
}

export function keyOf(process: ProcessKey): string {
  return `${process.pid}@${process.startTime}`;
}

/** A zombie holds no program any more: it waits for its parent to take note of the exit. */
export function isAlive(entry: ProcessEntry | undefined): entry is ProcessEntry {
  return entry !== undefined && entry.state !== 'Z' && entry.state !== 'X';
}

/** The living process with this pid and start time; a later one with the same pid does not count. */
export function findAlive(table: ProcessTable, key: ProcessKey): ProcessEntry | undefined {
  const entry = table.lookup(key.pid);
  return isAlive(entry) && sameProcess(entry, key) ? entry : undefined;
}
