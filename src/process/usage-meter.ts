import { isAlive, type ProcessEntry, type ProcessTable } from './host/process-table.ts';

/** Collects what the samples of a process tree tell of memory and CPU time. What no sample told is undefined. */
export class UsageMeter {
  #cpuMs: number | undefined;
  #peakMemoryBytes: number | undefined;

  get cpuMs(): number | undefined {
    return this.#cpuMs;
  }

  /** The larger of: highest sum over the tree in one sample; highest mark that the system kept of a single process. */
  get peakMemoryBytes(): number | undefined {
    return this.#peakMemoryBytes;
  }

  sample(table: ProcessTable, entries: readonly ProcessEntry[]): void {
    let sumBytes = 0;
    for (const entry of entries.filter(isAlive)) {
      const memory = table.memory(entry.pid);
      if (memory === undefined) continue;
      sumBytes += memory.nowBytes;
      this.#peakMemoryBytes = Math.max(this.#peakMemoryBytes ?? 0, memory.peakBytes, sumBytes);
    }
    // A process that ended has its time in the one that waited for it, so only a dying orphan lowers the sum.
    const measured = entries.flatMap(({ cpuMs }) => cpuMs ?? []);
    if (measured.length > 0) this.addCpu(measured.reduce((sum, cpuMs) => sum + cpuMs, 0));
  }

  addCpu(cpuMs: number): void {
    this.#cpuMs = Math.max(this.#cpuMs ?? 0, cpuMs);
  }
}
