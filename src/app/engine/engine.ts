/**
 * The engine: a journal, the machines, the projections and the supervisor, put together without any network of its
 * own, so that the same engine runs in production, embedded in a program, and in simulations.
 */
import type { Logger } from 'pino';
import type { Projections } from '../../../projections/index.ts';
import { withLimit } from '../../base/time.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { parseAttemptKey, taskKey } from '../../contracts/ids.ts';
import type { ActorHost } from '../../engine/runtime/actor-host.ts';
import type { CommitPipeline, LogEntry } from '../../engine/runtime/commit-pipeline.ts';
import type { Snapshotter } from '../../engine/runtime/snapshot-store.ts';
import type { Supervisor } from '../../engine/supervisor/supervisor.ts';
import type { Journal, JournalState } from '../../journal/journal.ts';
import type { AppContext } from '../context.ts';
import { finishRedactions } from '../tasks/redact.ts';

/** Milliseconds within which the last event has to be stored. */
const LAST_EVENT_MS = 2_000;

/** Calls every listener for every record, in the order of their registration. */
export class Followers {
  readonly #listeners = new Set<(record: StoredRecord) => void>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @returns a function that removes the listener */
  add(listener: (record: StoredRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A listener that throws does not stop the others. */
  notify(record: StoredRecord): void {
    for (const listener of this.#listeners) {
      try {
        listener(record);
      } catch (err) {
        this.#logger.error({ err, sequence: record.sequence }, 'a follower of the log failed');
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}

export interface EngineParts {
  readonly app: AppContext;
  readonly journal: Journal<LogEntry>;
  readonly pipeline: CommitPipeline;
  readonly followers: Followers;
  readonly snapshotter: Snapshotter | null;
  readonly logger: Logger;
  readonly draining: AbortController;
  readonly closed: AbortController;
}

export class Engine {
  readonly app: AppContext;
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    this.app = parts.app;
    this.#parts = parts;
  }

  get projections(): Projections {
    return this.app.state.projections;
  }

  get host(): ActorHost {
    return this.app.state.host;
  }

  get supervisor(): Supervisor {
    return this.app.supervision.supervisor;
  }

  /** Resumes the attempts that are open in the log, and starts dispatching. Call it once. */
  async begin(): Promise<void> {
    await finishRedactions(this.app, this.#parts.logger);
    await this.supervisor.start();
  }

  get journalState(): JournalState {
    return this.#parts.journal.state;
  }

  /** Events that are decided and not stored yet. */
  get backlog(): number {
    return this.#parts.journal.backlog;
  }

  get isDraining(): boolean {
    return this.app.isDraining();
  }

  /** Refuses new tasks and starts no attempts; open attempts go on. */
  drain(reason: string): void {
    if (this.isDraining) return;
    this.#parts.draining.abort();
    this.supervisor.drain();
    this.supervisor.decide({ type: 'supervisor.draining', reason });
  }

  /** Resolves when no attempt is open, or only attempts that a later start can adopt. */
  whenIdle(attempts: 'all' | 'unadoptable'): Promise<void> {
    const isBusy = (): boolean =>
      [...this.host.ids('attempt')].some((key) => attempts === 'all' || !this.#isAdoptable(key));
    if (!isBusy()) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = this.app.log.onRecord(({ event }) => {
        if (event.type !== 'attempt.ended' || isBusy()) return;
        stop();
        resolve();
      });
    });
  }

  #isAdoptable(attempt: string): boolean {
    const task = this.projections.blackboard.tasks.get(taskKey(parseAttemptKey(attempt)));
    return this.app.supervision.roster.get(task?.agent ?? '')?.driver.adoptable ?? true;
  }

  /** Leaves every agent running, records the stop, and releases the log. */
  async stop(reason: string): Promise<void> {
    const { journal, pipeline, snapshotter, followers, closed } = this.#parts;
    this.supervisor.detach();
    if (journal.state.kind === 'open') await this.#recordStop(reason);
    await journal.close();
    pipeline.close();
    await snapshotter?.close();
    followers.clear();
    closed.abort();
  }

  /** The last event. Does not wait for a log that has become unreachable. */
  async #recordStop(reason: string): Promise<void> {
    const recorded = this.#parts.pipeline
      .commit({ type: 'supervisor.stopped', reason }, { actor: 'supervisor' })
      .catch(() => {});
    await withLimit(recorded, LAST_EVENT_MS, () => {}, this.app.environment.clock);
  }
}
