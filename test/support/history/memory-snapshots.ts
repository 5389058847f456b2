/** Snapshots in memory, as the texts that a file would hold. */
import { linesOf, type Snapshot, snapshotOf } from '../../../src/engine/runtime/snapshot.ts';
import type { SnapshotStore } from '../../../src/engine/runtime/snapshot-store.ts';

export class MemorySnapshots implements SnapshotStore {
  /** How many were taken. */
  taken = 0;
  #lines: readonly string[] | null = null;

  async load(): Promise<Snapshot | null> {
    return this.#lines && snapshotOf(this.#lines);
  }

  async save(snapshot: Snapshot): Promise<void> {
    this.#lines = [...linesOf(snapshot)];
    this.taken++;
  }

  async drop(): Promise<void> {
    this.#lines = null;
  }
}
