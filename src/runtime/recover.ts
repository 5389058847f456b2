/** What a start does with the log: a snapshot if one is usable, and the rest of the log after it. */
import type { Logger } from 'pino';
import { Projections } from '../../projections/index.ts';
import type { Journal, JournalEntry } from '../journal/journal.ts';
import { chainHashOf } from '../journal/redactions.ts';
import { ActorHost } from './actor-host.ts';
import { BEGINNING, type Rebuilt, rebuildNext } from './rebuild.ts';
import { Retention, type RetentionLimits } from './retention.ts';
import { restore, type Snapshot } from './snapshot.ts';
import type { SnapshotStore } from './snapshot-store.ts';

export interface RecoverOptions {
  readonly journal: Pick<Journal<JournalEntry>, 'read'>;
  readonly limits: RetentionLimits;
  /** null where none are kept. */
  readonly snapshots: SnapshotStore | null;
  readonly logger: Logger;
}

/** What was made of the log so far, and goes on with it until this process writes itself. */
export class Recovered {
  readonly host: ActorHost;
  readonly projections: Projections;
  readonly retention: Retention;
  readonly #journal: RecoverOptions['journal'];
  #end: Rebuilt;

  constructor(
    journal: RecoverOptions['journal'],
    limits: RetentionLimits,
    snapshot: Snapshot | null,
    { host, projections } = snapshot ? restore(snapshot) : nothing(),
  ) {
    this.host = host;
    this.projections = projections;
    this.retention = new Retention({ host, projections, limits }, snapshot?.forgotten);
    this.#journal = journal;
    this.#end = snapshot?.at ?? BEGINNING;
  }

  /** The last event that was read. */
  get end(): Rebuilt {
    return this.#end;
  }

  /** Reads what has come since. One call at a time; one that fails may be repeated. @throws as `recover` */
  async follow(): Promise<void> {
    for await (const message of this.#journal.read({ from: this.#end.tip.sequence + 1 })) {
      const { end, record } = rebuildNext(message, this.#end, this);
      this.retention.onRecord(record);
      this.#end = end;
    }
  }
}

function nothing(): { host: ActorHost; projections: Projections } {
  return { host: new ActorHost(), projections: new Projections() };
}

/** @throws SignalboxError `log_corrupt`, `replay_diverged`, and what reading the log throws */
export async function recover(options: RecoverOptions): Promise<Recovered> {
  const { journal, limits, snapshots, logger } = options;
  const snapshot = await usable(journal, (await snapshots?.load()) ?? null, logger);
  const recovered = new Recovered(journal, limits, snapshot);
  const { sequence: from } = recovered.end.tip;
  await recovered.follow();
  const { sequence } = recovered.end.tip;
  const tasks = recovered.projections.blackboard.tasks.size;
  logger.info({ events: sequence, read: sequence - from, tasks }, 'rebuilt from the log');
  return recovered;
}

/** A snapshot counts only where the log holds the very event after which it was taken. */
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
  logger.warn({ sequence: tip.sequence }, 'the snapshot is not of this log: it is left aside');
  return null;
}
