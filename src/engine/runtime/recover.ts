/**
 * What a start does with the log: it restores a snapshot if one is usable, and reads the rest of the log after it.
 *
 * Invariant snapshots/only-a-shortcut: a snapshot counts only if the log holds the very event after which it was taken
 * and the same code wrote it; otherwise everything is read from the first event on. Reading ahead only saves time, too.
 */
import type { Logger } from 'pino';
import { newProjections, type Projections } from '../../../projections/index.ts';
import type { Journal, JournalEntry } from '../../journal/journal.ts';
import { chainHashOf } from '../../journal/redactions.ts';
import { ActorHost } from './actor-host.ts';
import { type Batch, Rebuilding, type Rebuilt } from './rebuild.ts';
import { Retention, type RetentionLimits } from './retention.ts';
import { restore, type Snapshot } from './snapshot.ts';
import type { SnapshotStore } from './snapshot-store.ts';

/** Reads a long log in another thread, and hashes it there. It may end anywhere: the rest is read in place. */
export interface ReadAhead {
  /** The number of events at which it saves more time than its start takes. */
  readonly minEvents: number;
  /** Batches in order from a sequence, up to roughly the current end. Never throws. */
  read(from: number): AsyncIterable<Batch>;
}

export interface RecoverOptions {
  readonly journal: Pick<Journal<JournalEntry>, 'read' | 'tip'>;
  /** null: the log is read in place. */
  readonly readAhead: ReadAhead | null;
  readonly limits: RetentionLimits;
  /** null: there are no snapshots. */
  readonly snapshots: SnapshotStore | null;
  readonly logger: Logger;
}

export interface State {
  readonly host: ActorHost;
  readonly projections: Projections;
  readonly retention: Retention;
}

/** Reads the log until this process writes it. The state is visible to others only after `finish`. */
export class Recovered {
  readonly #state: State;
  readonly #journal: RecoverOptions['journal'];
  readonly #readAhead: ReadAhead | null;
  readonly #rebuilding: Rebuilding;

  constructor(
    { journal, readAhead, limits }: Omit<RecoverOptions, 'snapshots'>,
    snapshot: Snapshot | null,
    { host, projections } = snapshot ? restore(snapshot) : emptyState(),
  ) {
    const retention = new Retention({ host, projections, limits }, snapshot?.forgotten);
    this.#state = { host, projections, retention };
    this.#journal = journal;
    this.#readAhead = readAhead;
    this.#rebuilding = new Rebuilding(this.#state, snapshot?.at);
  }

  /** The last event that was read. */
  get end(): Rebuilt {
    return this.#rebuilding.end;
  }

  get tasks(): number {
    return this.#state.projections.blackboard.tasks.size;
  }

  /** Makes the state visible. Call it once, after the last `follow`. */
  finish(): State {
    this.#state.projections.handOut();
    return this.#state;
  }

  /** Reads what was stored since. One call at a time; one that fails may be repeated. @throws as `recover` */
  async follow(): Promise<void> {
    const ahead = this.#readAhead;
    if (ahead && (await this.#journal.tip()).sequence - this.#sequence >= ahead.minEvents) {
      for await (const batch of ahead.read(this.#sequence + 1)) {
        await this.#readInPlace(batch.from - 1);
        this.#rebuilding.nextOf(batch, (record) => this.#state.retention.onRecord(record));
      }
    }
    await this.#readInPlace();
  }

  get #sequence(): number {
    return this.#rebuilding.sequence;
  }

  /** @param to the last sequence; default: the present end */
  async #readInPlace(to?: number): Promise<void> {
    if (to === this.#sequence) return;
    const range = { from: this.#sequence + 1, ...(to !== undefined && { to }) };
    for await (const message of this.#journal.read(range)) {
      for (const record of this.#rebuilding.next(message)) this.#state.retention.onRecord(record);
    }
  }
}

function emptyState(): { host: ActorHost; projections: Projections } {
  return { host: new ActorHost(), projections: newProjections('unseen') };
}

/** @throws SignalboxError `log_corrupt`, `replay_diverged`, and what reading the log throws */
export async function recover(options: RecoverOptions): Promise<Recovered> {
  const { journal, snapshots, logger } = options;
  const snapshot = await usable(journal, (await snapshots?.load()) ?? null, logger);
  const recovered = new Recovered(options, snapshot);
  const { sequence: from } = recovered.end.tip;
  await recovered.follow();
  const { sequence } = recovered.end.tip;
  const { tasks } = recovered;
  logger.info({ events: sequence, read: sequence - from, tasks }, 'rebuilt from the log');
  return recovered;
}

async function usable(
  journal: RecoverOptions['journal'],
  snapshot: Snapshot | null,
  logger: Logger,
): Promise<Snapshot | null> {
  if (!snapshot) return null;
  const { tip, hash } = snapshot.at;
  for await (const message of journal.read({ from: tip.sequence, to: tip.sequence })) {
    if (message.id === tip.id && chainHashOf(message) === hash) return snapshot;
  }
  logger.warn({ sequence: tip.sequence }, 'the snapshot is not of this log: ignored');
  return null;
}
