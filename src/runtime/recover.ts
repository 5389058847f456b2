/** What a start does with the log: a snapshot if one is usable, and the rest of the log after it. */
import type { Logger } from 'pino';
import { Projections } from '../../projections/index.ts';
import type { Journal, JournalEntry } from '../journal/journal.ts';
import { chainHashOf } from '../journal/redactions.ts';
import { ActorHost } from './actor-host.ts';
import { type Rebuilt, rebuild } from './rebuild.ts';
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

export interface Recovered {
  readonly host: ActorHost;
  readonly projections: Projections;
  readonly retention: Retention;
  /** The last event that was read. */
  readonly end: Rebuilt;
}

/** @throws SignalboxError `log_corrupt`, `replay_diverged`, and what reading the log throws */
export async function recover(options: RecoverOptions): Promise<Recovered> {
  const { journal, limits, snapshots, logger } = options;
  const snapshot = await usable(journal, (await snapshots?.load()) ?? null, logger);
  const { host, projections } = snapshot
    ? restore(snapshot)
    : { host: new ActorHost(), projections: new Projections() };
  const retention = new Retention({ host, projections, limits }, snapshot?.forgotten);
  const from = (snapshot?.at.tip.sequence ?? 0) + 1;
  const start = snapshot ? { start: snapshot.at } : {};
  const end = await rebuild(journal.read({ from }), host, projections, { ...start, retention });
  retention.catchUp();
  const tasks = projections.blackboard.tasks.size;
  logger.info({ events: end.tip.sequence, read: end.tip.sequence - from + 1, tasks }, 'rebuilt from the log');
  return { host, projections, retention, end };
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
