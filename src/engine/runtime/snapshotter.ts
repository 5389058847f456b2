/** Takes a snapshot from time to time, while everything goes on. */
import type { Logger } from 'pino';
import { messageOf } from '../../contracts/errors.ts';
import type { Snapshot } from './snapshot.ts';
import type { SnapshotStore } from './snapshot-store.ts';

export interface SnapshotterOptions {
  readonly store: SnapshotStore;
  /** Events between two snapshots. */
  readonly every: number;
  /** What a snapshot costs, in things to write: a large state is written less often than a small one. */
  readonly size: () => number;
  /** The state as it is after the last stored event. */
  readonly capture: () => Snapshot;
  readonly logger: Logger;
}

export class Snapshotter {
  readonly #options: SnapshotterOptions;
  #since = 0;
  #saving: Promise<void> | null = null;

  constructor(options: SnapshotterOptions) {
    this.#options = options;
  }

  /** To be called after everybody has seen a record. */
  onRecord(): void {
    this.#since++;
    if (this.#saving || this.#since < this.#options.every || this.#since < this.#options.size()) return;
    this.#saving = this.#save().finally(() => {
      this.#saving = null;
    });
  }

  /** Deletes all there are: what stands in them must not be kept. The next one comes in its time. @throws what that throws */
  async drop(): Promise<void> {
    while (this.#saving) await this.#saving;
    const dropped = this.#options.store.drop();
    this.#saving = dropped
      .catch(() => {})
      .finally(() => {
        this.#saving = null;
      });
    await dropped;
  }

  /** Takes a last one, if anything has happened since the one before. */
  async close(): Promise<void> {
    await this.#saving;
    if (this.#since > 0) await this.#save();
  }

  /** Never rejects: the log is there, a snapshot only saves time. */
  async #save(): Promise<void> {
    const { store, capture, logger } = this.#options;
    this.#since = 0;
    try {
      const snapshot = capture();
      await store.save(snapshot);
      logger.debug({ sequence: snapshot.at.tip.sequence }, 'snapshot taken');
    } catch (error) {
      logger.warn({ err: error }, `no snapshot could be taken: ${messageOf(error)}`);
    }
  }
}
