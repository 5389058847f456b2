/** Scans of the process table, shared by all that ask at the same time, and the index that a scan results in. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ProcessEntry, ProcessTable } from './process-table.ts';

/** After a scan of one millisecond the next one waits for three, so that many kills cannot block the event loop. */
const REST_FACTOR = 3;
const MAX_REST_MS = 100;

/** All processes of one scan, by pid, parent, group, session and marker. */
export class ProcessIndex {
  readonly #byPid = new Map<number, ProcessEntry>();
  readonly #byParent = new Map<number, ProcessEntry[]>();
  readonly #byGroup = new Map<number, ProcessEntry[]>();
  readonly #bySession = new Map<number, ProcessEntry[]>();
  readonly #byMarker = new Map<string, ProcessEntry[]>();

  constructor(entries: readonly ProcessEntry[]) {
    for (const entry of entries) {
      this.#byPid.set(entry.pid, entry);
      add(this.#byParent, entry.ppid, entry);
      add(this.#byGroup, entry.pgid, entry);
      add(this.#bySession, entry.sid, entry);
      for (const marker of entry.markers ?? []) add(this.#byMarker, marker, entry);
    }
  }

  get size(): number {
    return this.#byPid.size;
  }

  process(pid: number): ProcessEntry | undefined {
    return this.#byPid.get(pid);
  }

  children(pid: number): readonly ProcessEntry[] {
    return this.#byParent.get(pid) ?? [];
  }

  group(number: number): readonly ProcessEntry[] {
    return this.#byGroup.get(number) ?? [];
  }

  session(number: number): readonly ProcessEntry[] {
    return this.#bySession.get(number) ?? [];
  }

  marked(marker: string): readonly ProcessEntry[] {
    return this.#byMarker.get(marker) ?? [];
  }
}

function add<Key>(map: Map<Key, ProcessEntry[]>, key: Key, entry: ProcessEntry): void {
  const entries = map.get(key);
  if (entries === undefined) map.set(key, [entry]);
  else entries.push(entry);
}

interface Request {
  markersSince: string | undefined;
  readonly result: Promise<ProcessIndex>;
}

/**
 * Scans the process table for all callers that ask at the same time. A scan starts after the call that it answers, so it
 * shows what the caller did before. One scan runs at a time; calls during a scan share the next one.
 */
export class SharedScan {
  readonly #table: ProcessTable;
  #waiting: Request | undefined;
  #lastScan: Promise<unknown> = Promise.resolve();
  #restUntil = 0;

  constructor(table: ProcessTable) {
    this.#table = table;
  }

  /** All processes; with the markers of those that started at or after `markersSince`. */
  scan(markersSince?: string): Promise<ProcessIndex> {
    this.#waiting ??= this.#schedule();
    const request = this.#waiting;
    if (markersSince !== undefined) {
      const since = request.markersSince;
      request.markersSince =
        since === undefined || Number(markersSince) < Number(since) ? markersSince : since;
    }
    return request.result;
  }

  #schedule(): Request {
    const result = this.#lastScan.then(async () => {
      const restMs = this.#restUntil - performance.now();
      if (restMs > 0) await pause(restMs);
      return this.#run();
    });
    this.#lastScan = result.catch(() => undefined);
    return { markersSince: undefined, result };
  }

  async #run(): Promise<ProcessIndex> {
    const markersSince = this.#waiting?.markersSince;
    this.#waiting = undefined; // later calls get the next scan
    const start = performance.now();
    try {
      return new ProcessIndex(await this.#table.scan(markersSince === undefined ? {} : { markersSince }));
    } finally {
      const end = performance.now();
      this.#restUntil = end + Math.min((end - start) * REST_FACTOR, MAX_REST_MS);
    }
  }
}
