/** What a start does with the log: a snapshot if one is usable, and the rest of the log after it. */
import type { Logger } from 'pino';
import { Projections } from '../../../projections/index.ts';
import type { Journal, JournalEntry } from '../../journal/journal.ts';
import { chainHashOf } from '../../journal/redactions.ts';
import { ActorHost } from './actor-host.ts';
import type { ReadAhead } from './read-ahead.ts';
import { Rebuilding, type Rebuilt } from './rebuild.ts';
import { Retention, type RetentionLimits } from './retention.ts';
import { restore, type Snapshot } from './snapshot.ts';
import type { SnapshotStore } from './snapshot-store.ts';

export interface RecoverOptions {
  readonly journal: Pick<Journal<JournalEntry>, 'read' | 'tip'>;
  /** null where the log is read in place. */
  readonly readAhead: ReadAhead | null;
  readonly limits: RetentionLimits;
  /** null where none are kept. */
  readonly snapshots: SnapshotStore | null;
  readonly logger: Logger;
}

/** What the log comes to. */
export interface State {
  readonly host: ActorHost;
  readonly projections: Projections;
  readonly retention: Retention;
}

/** Goes through the log until this process writes itself. Nobody sees what comes of it before `finish` (F5). */
export class Recovered {
  readonly #state: State;
  readonly #journal: RecoverOptions['journal'];
  readonly #readAhead: ReadAhead | null;
  readonly #rebuilding: Rebuilding;

  constructor(
    { journal, readAhead, limits }: Omit<RecoverOptions, 'snapshots'>,
    snapshot: Snapshot | null,
    { host, projections } = snapshot ? restore(snapshot) : nothing(),
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

  /** What is in memory now. */
  get tasks(): number {
    return this.#state.projections.blackboard.tasks.size;
  }

  /** Hands everything out. From then on the log is followed by whoever has it. */
  finish(): State {
    this.#state.projections.handOut();
    return this.#state;
  }

  /** Reads what has come since. One call at a time; one that fails may be repeated. @throws as `recover` */
  async follow(): Promise<void> {
    const ahead = this.#readAhead;
    if (ahead && (await this.#journal.tip()).sequence - this.#sequence >= ahead.pays) {
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

  /** @param to the last sequence; the present end where it is absent */
  async #readInPlace(to?: number): Promise<void> {
    if (to === this.#sequence) return;
    const range = { from: this.#sequence + 1, ...(to !== undefined && { to }) };
    for await (const message of this.#journal.read(range)) {
      this.#state.retention.onRecord(this.#rebuilding.next(message));
    }
  }
}

function nothing(): { host: ActorHost; projections: Projections } {
  return { host: new ActorHost(), projections: Projections.unseen() };
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
