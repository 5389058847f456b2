import type { ProcessEntry } from './process-table.ts';

/** One look at all processes, ready to be asked by pid, parent, group, session and marker. */
export class ProcessIndex {
  readonly #byPid = new Map<number, ProcessEntry>();
  readonly #byParent = new Map<number, ProcessEntry[]>();
  readonly #byGroup = new Map<number, ProcessEntry[]>();
  readonly #bySession = new Map<number, ProcessEntry[]>();
  readonly #byMarker = new Map<string, ProcessEntry[]>();

  constructor(entries: readonly ProcessEntry[]) {
    for (const entry of entries) {
      this.#byPid.set(entry.pid, entry);
      file(this.#byParent, entry.ppid, entry);
      file(this.#byGroup, entry.pgid, entry);
      file(this.#bySession, entry.sid, entry);
      for (const marker of entry.markers ?? []) file(this.#byMarker, marker, entry);
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

function file<Key>(map: Map<Key, ProcessEntry[]>, key: Key, entry: ProcessEntry): void {
  const entries = map.get(key);
  if (entries === undefined) map.set(key, [entry]);
  else entries.push(entry);
}
