/** One snapshot in memory, as the texts that a file would hold: what is measured is not the disk. */
import { linesOf, type Snapshot, snapshotOf } from '../src/engine/runtime/snapshot.ts';
import type { SnapshotStore } from '../src/engine/runtime/snapshot-store.ts';

export class MemorySnapshot implements SnapshotStore {
  /** Takes no further snapshot. */
  isFrozen = false;
  #lines: readonly string[] | null = null;

  async load(): Promise<Snapshot | null> {
    return this.#lines && snapshotOf(this.#lines);
  }

  async save(snapshot: Snapshot): Promise<void> {
    if (!this.isFrozen) this.#lines = [...linesOf(snapshot)];
  }

  async drop(): Promise<void> {
    this.#lines = null;
  }
}
