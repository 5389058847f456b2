/**
 * The engine: a journal, the machines, the projections and the supervisor, put together. No network of its own, so
 * the same engine runs in production, embedded in a program, and in simulations.
 */

import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Projections } from '../../../projections/index.ts';
import { withLimit } from '../../base/time.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { creationSubject, redactionSubject, taskSubject } from '../../contracts/messages/subjects.ts';
import type { ActorHost } from '../../engine/runtime/actor-host.ts';
import { Archive } from '../../engine/runtime/archive.ts';
import { CommitPipeline, type LogEntry } from '../../engine/runtime/commit-pipeline.ts';
import { type Rebuilt, readRecord } from '../../engine/runtime/rebuild.ts';
import { recover } from '../../engine/runtime/recover.ts';
import { Snapshotter } from '../../engine/runtime/snapshotter.ts';
import { AgentRoster } from '../../engine/supervisor/agent-roster.ts';
import { BUILT_IN_PROMPTS } from '../../engine/supervisor/prompts/prompt-builders.ts';
import { Supervisor } from '../../engine/supervisor/supervisor.ts';
import { AttemptTokens } from '../../engine/supervisor/tokens.ts';
import type { Journal, JournalState, StoredMessage } from '../../journal/journal.ts';
import { withStandIns } from '../../journal/redactions.ts';
import type { AppContext, EngineState, Supervision } from '../context.ts';
import { finishRedactions } from '../tasks/redact.ts';
import type { EngineOptions } from './engine-options.ts';

export type { EngineLimits, EngineOptions } from './engine-options.ts';

/** Milliseconds that the last event gets to be stored. */
const GOODBYE_MS = 2_000;

export class Engine {
  readonly app: AppContext;
  readonly projections: Projections;
  readonly host: ActorHost;
  readonly supervisor: Supervisor;
  readonly #journal: Journal<LogEntry>;
  readonly #pipeline: CommitPipeline;
  readonly #listeners: Set<(record: StoredRecord) => void>;
  readonly #snapshotter: Snapshotter | null;
  readonly #logger: Logger;
  readonly #closed = new AbortController();
  #draining = false;

  private constructor(parts: {
    app: (isDraining: () => boolean, closed: AbortSignal) => AppContext;
    pipeline: CommitPipeline;
    journal: Journal<LogEntry>;
    listeners: Set<(record: StoredRecord) => void>;
    snapshotter: Snapshotter | null;
    logger: Logger;
  }) {
    this.app = parts.app(() => this.#draining, this.#closed.signal);
    this.projections = this.app.state.projections;
    this.host = this.app.state.host;
    this.supervisor = this.app.supervision.supervisor;
    this.#pipeline = parts.pipeline;
    this.#journal = parts.journal;
    this.#listeners = parts.listeners;
    this.#snapshotter = parts.snapshotter;
    this.#logger = parts.logger;
  }

  /**
   * Rebuilds from the log and takes it over. Nothing is started before `begin`.
   * @throws SignalboxError `log_in_use`, `log_corrupt`, `replay_diverged`, and what `inspect` throws
   */
  static async open(options: EngineOptions): Promise<Engine> {
    const { environment, logger } = options;
    const listeners = new Set<(record: StoredRecord) => void>();
    let pipeline: CommitPipeline | undefined;
    let supervisor: Supervisor | undefined;
    const onState = (state: JournalState): void => {
      pipeline?.onState(state);
      if (state.kind === 'resyncing')
        logger.warn({ reason: state.reason }, 'the log is out of reach: looking what it holds');
      if (state.kind === 'fenced') options.onFenced(state.error);
    };
    const journal = await options.openJournal({
      onStored: (entry, sequence) => {
        options.onStored?.({ sequence, id: entry.id });
        pipeline?.onStored(entry, sequence);
      },
      onState,
    });
    const reader = withStandIns(journal);
    const archive = new Archive({
      has: async (project, task) =>
        // Its creation may be erased; then the redaction stands for it.
        (await journal.holds(creationSubject(project, task))) ||
        (await journal.holds(redactionSubject(project, task))),
      read: (project, task) => readRecords(reader.readBySubject(taskSubject(project, task))),
    });
    const recovered = await recover({
      journal: reader,
      readAhead: options.readAhead ?? null,
      limits: options.retention,
      snapshots: options.snapshots?.store ?? null,
      logger,
    });
    await options.awaitTurn?.(() => recovered.follow());
    await options.inspect?.(reader, recovered.end.tip);
    const { host, projections, retention } = recovered.finish();
    retention.catchUp(() => pipeline?.underway ?? 0);

    const onCommitted = (record: StoredRecord): void => {
      projections.evolve(record);
      archive.onRecord(record);
      supervisor?.onCommitted(record);
      for (const listener of listeners) notify(listener, record, logger);
      retention.onRecord(record);
      snapshotter?.onRecord();
    };
    pipeline = new CommitPipeline({
      host,
      clock: environment.clock,
      writer: options.writer,
      last: recovered.end,
      maxBacklog: options.limits.backlog,
      maxEventBytes: options.limits.maxEventBytes,
      onCommitted,
    });
    const snapshotter = snapshotterOf({ host, projections, pipeline, retention }, options);
    await takeOver(journal, pipeline, recovered.end, options);

    const core = {
      host,
      projections,
      pipeline,
      environment,
      roster: new AgentRoster(options.agents),
      tokens: new AttemptTokens(options.secret),
    };
    const { concurrency, projectConcurrency } = options.limits;
    const attemptsDirectory = attemptsIn(options);
    supervisor = new Supervisor({
      ...core,
      archive,
      logger,
      attemptsDirectory,
      concurrency,
      projectConcurrency,
      url: options.url,
      prompts: options.prompts ?? BUILT_IN_PROMPTS,
    });
    return new Engine({
      journal,
      listeners,
      snapshotter,
      logger,
      pipeline,
      app: appOf({ ...core, supervisor, archive, retention }, options, journal, listeners, snapshotter),
    });
  }

  /** Takes up what the log says is under way, and begins to claim. To be called once. */
  async begin(): Promise<void> {
    await finishRedactions(this.app, this.#logger);
    await this.supervisor.start();
  }

  get journalState(): JournalState {
    return this.#journal.state;
  }

  /** Events that were decided and are not in the log yet. */
  get backlog(): number {
    return this.#journal.backlog;
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  /** Takes no new tasks and claims none; what runs goes on. */
  drain(reason: string): void {
    if (this.#draining) return;
    this.#draining = true;
    this.supervisor.drain();
    this.supervisor.decide({ type: 'supervisor.draining', reason });
  }

  /** Resolves when no attempt is open any more: none at all, or none that a later start could not take up. */
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
    const [project, task] = attempt.split('/');
    const agent = this.projections.blackboard.tasks.get(`${project}/${task}`)?.agent;
    return this.app.supervision.roster.get(agent ?? '')?.driver.adoptable ?? true;
  }

  /** Leaves every agent running, records the stop, and lets go of the log. */
  async stop(reason: string): Promise<void> {
    this.supervisor.detach();
    if (this.#journal.state.kind === 'open') await this.#sayGoodbye(reason);
    await this.#journal.close();
    this.#pipeline.close();
    await this.#snapshotter?.close();
    this.#listeners.clear();
    this.#closed.abort();
  }

  /** The last event; a log that has gone away meanwhile holds up nobody. */
  async #sayGoodbye(reason: string): Promise<void> {
    const said = this.#pipeline
      .commit({ type: 'supervisor.stopped', reason }, { actor: 'supervisor' })
      .then(() => {})
      .catch(() => {});
    await withLimit(said, GOODBYE_MS, () => {}, this.app.environment.clock);
  }
}

/** A listener that throws is its own affair: the record is stored, and the next listener hears of it. */
function notify(listener: (record: StoredRecord) => void, record: StoredRecord, logger: Logger): void {
  try {
    listener(record);
  } catch (err) {
    logger.error({ err, sequence: record.sequence }, 'a follower of the log failed');
  }
}

function attemptsIn({ dataDirectory }: EngineOptions): string {
  return join(dataDirectory, 'attempts');
}

interface Core extends EngineState, Supervision {
  readonly pipeline: CommitPipeline;
}

/** What the use cases get to work with. */
function appOf(
  core: Core,
  options: EngineOptions,
  journal: Journal<LogEntry>,
  listeners: Set<(record: StoredRecord) => void>,
  snapshotter: Snapshotter | null,
): (isDraining: () => boolean, closed: AbortSignal) => AppContext {
  const { host, projections, archive, retention, supervisor, roster, tokens, pipeline } = core;
  const { queueDepth, concurrency, projectConcurrency } = options.limits;
  const reader = withStandIns(journal);
  return (isDraining, closed) => ({
    state: { host, projections, archive, retention },
    log: {
      commit: (event, origin) => pipeline.commit(event, origin),
      decide: (event, origin, waiter) => pipeline.decide(event, origin, waiter),
      assertWritable: () => pipeline.assertWritable(),
      get last() {
        return pipeline.last;
      },
      read: (range) => readRecords(reader.read(range)),
      history: (project, task) => readRecords(reader.readBySubject(taskSubject(project, task))),
      onRecord: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      messages: {
        read: (range) => reader.read(range),
        readPresent: (range) => journal.readPresent(range),
        readByFilter: (filter) => reader.readByFilter(filter),
        erase: (sequence) => journal.erase(sequence),
      },
      dropSnapshots: async () => snapshotter?.drop(),
      closed,
    },
    supervision: { supervisor, roster, tokens },
    settings: {
      defaults: options.defaults,
      reviewOf: options.reviewOf,
      limits: { queueDepth, concurrency, projectConcurrency },
      directories: { content: join(options.dataDirectory, 'content'), attempts: attemptsIn(options) },
    },
    environment: options.environment,
    keys: options.keys ?? null,
    isDraining,
  });
}

function snapshotterOf(
  { host, projections, pipeline, retention }: Pick<Core, 'host' | 'projections' | 'pipeline' | 'retention'>,
  { snapshots, logger }: EngineOptions,
): Snapshotter | null {
  if (!snapshots) return null;
  return new Snapshotter({
    ...snapshots,
    logger,
    size: () => host.count('task'),
    capture: () => ({
      at: pipeline.last,
      actors: pipeline.storedActors(),
      projections: projections.toJSON(),
      forgotten: retention.forgotten,
    }),
  });
}

async function takeOver(
  journal: Journal<LogEntry>,
  pipeline: CommitPipeline,
  rebuilt: Rebuilt,
  { version, writer, onStored }: EngineOptions,
): Promise<void> {
  const event = { type: 'supervisor.started', writer, version, host: hostname(), pid: process.pid } as const;
  const entry = pipeline.prepare(event, { actor: 'supervisor' });
  pipeline.attach(journal);
  const result = await journal.takeOver(rebuilt.tip, entry);
  if (!result.ok) {
    throw new SignalboxError(
      'log_in_use',
      `the log moved from ${rebuilt.tip.sequence} to ${result.tip.sequence} while it was read: another Signalbox writes it. Stop that one first`,
    );
  }
  onStored?.({ sequence: rebuilt.tip.sequence + 1, id: entry.id });
  pipeline.onStored(entry, rebuilt.tip.sequence + 1);
}

async function* readRecords(messages: AsyncIterable<StoredMessage>): AsyncIterable<StoredRecord> {
  for await (const message of messages) yield readRecord(message);
}
