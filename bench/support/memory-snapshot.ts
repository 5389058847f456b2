/** One snapshot in memory, as the lines of its file, so that no figure depends on the disk. */
import { linesOf, type Snapshot, snapshotOf } from '../../src/engine/runtime/snapshot.ts';
import type { SnapshotStore } from '../../src/engine/runtime/snapshot-store.ts';

export class MemorySnapshot implements SnapshotStore {
  /** If true, `save` does nothing. */
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
