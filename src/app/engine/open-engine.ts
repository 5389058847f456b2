/** Opens an engine: reads the log, takes it over, and connects the parts. */
import { hostname } from 'node:os';
import { SignalboxError } from '../../contracts/errors.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { taskSubject } from '../../contracts/messages/subjects.ts';
import { archiveOf } from '../../engine/runtime/archive.ts';
import { CommitPipeline, type LogEntry } from '../../engine/runtime/commit-pipeline.ts';
import { type Recovered, recover } from '../../engine/runtime/recover.ts';
import { Snapshotter } from '../../engine/runtime/snapshot-store.ts';
import { AgentRoster } from '../../engine/supervisor/agent-roster.ts';
import { BUILT_IN_PROMPTS } from '../../engine/supervisor/prompts/prompt-facts.ts';
import { Supervisor } from '../../engine/supervisor/supervisor.ts';
import { AttemptTokens } from '../../engine/supervisor/tokens.ts';
import { type Message, recordsOf } from '../../journal/codec/cloud-event.ts';
import { Completeness } from '../../journal/completeness.ts';
import type { Journal, JournalHandlers, LogReader, Tip } from '../../journal/journal.ts';
import { withTombstones } from '../../journal/redactions.ts';
import type { AppContext, EngineState, EventLog, Settings, Supervision } from '../context.ts';
import { Past } from '../events/past.ts';
import { Engine, Followers } from './engine.ts';
import type { EngineOptions } from './engine-options.ts';
import { directoriesOf, filesOf } from './files.ts';

/** Reads the log and takes it over. @throws SignalboxError `log_in_use`, `log_corrupt`, `replay_diverged` */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const recovered = await recoverEngine(options);
  return recovered.takeOver().catch(async (error: unknown) => {
    await recovered.close();
    throw error;
  });
}

/** Reads the log, and writes nothing. @throws SignalboxError `log_corrupt`, `replay_diverged` */
export async function recoverEngine(options: EngineOptions): Promise<RecoveredEngine> {
  const { environment, writer, limits } = options;
  const pipeline = new CommitPipeline({
    clock: environment.clock,
    writer,
    maxBacklog: limits.backlog,
    maxEventBytes: limits.maxEventBytes,
  });
  const journal = await options.openJournal(reportsTo(pipeline, options));
  try {
    const recovered = await recover({
      journal: withTombstones(journal),
      readAhead: options.readAhead ?? null,
      limits: options.retention,
      snapshots: options.snapshots?.store ?? null,
      logger: options.logger,
    });
    return new RecoveredEngine({ options, pipeline, journal, recovered });
  } catch (error) {
    await journal.close();
    throw error;
  }
}

interface RecoveredParts {
  readonly options: EngineOptions;
  readonly pipeline: CommitPipeline;
  readonly journal: Journal<LogEntry>;
  readonly recovered: Recovered;
}

export class RecoveredEngine {
  readonly log: LogReader;
  readonly #completeness: Completeness;
  readonly #parts: RecoveredParts;

  constructor(parts: RecoveredParts) {
    this.#parts = parts;
    this.log = withTombstones(parts.journal);
    this.#completeness = new Completeness(parts.journal);
  }

  /** Reads what was stored meanwhile. One call at a time; one that fails may be repeated. */
  follow(): Promise<void> {
    return this.#parts.recovered.follow();
  }

  /** The last event that was read. */
  get end(): Tip {
    return this.#parts.recovered.end.tip;
  }

  /** Compares what the store says of the log with what was read. @throws SignalboxError `log_corrupt`, `nats_unavailable` */
  checkComplete(): Promise<void> {
    return this.#completeness.check(this.end.sequence);
  }

  /** Releases the log without having written to it. */
  close(): Promise<void> {
    return this.#parts.journal.close();
  }

  /**
   * Becomes the writer of the log. No attempt is started before `begin` of the engine.
   * @param onStored called for every event that this engine has stored, before it is visible
   * @throws SignalboxError `log_in_use`; call `close` then
   */
  async takeOver(onStored: (tip: Tip) => void = () => {}): Promise<Engine> {
    const { options, pipeline, journal, recovered } = this.#parts;
    const { logger, environment } = options;
    const last = recovered.end;
    const state: EngineState = { ...recovered.finish(), archive: archiveOf(journal, this.log) };
    const { host, projections, archive, retention } = state;
    retention.catchUp(() => pipeline.underway);
    const supervision = supervisionOf(state, pipeline, options);
    const snapshotter = snapshotterOf(state, pipeline, options);
    const followers = new Followers(logger);
    const draining = new AbortController();
    const closed = new AbortController();
    const { supervisor } = supervision;
    const onCommitted = (records: Message<StoredRecord>): void => {
      onStored({ sequence: records[0].sequence, id: records[0].id });
      for (const record of records) projections.evolve(record);
      archive.onRecord(records[0]);
      for (const record of records) {
        supervisor.onCommitted(record);
        followers.notify(record);
      }
      for (const record of records) retention.onRecord(record);
      snapshotter?.onRecord();
    };
    pipeline.attach({ host, last, journal, onCommitted, onDecided: (event) => supervisor.onDecided(event) });
    await recordStart(journal, pipeline, last.tip, options);
    const log = logOf({
      pipeline,
      journal,
      reader: this.log,
      completeness: this.#completeness,
      followers,
      snapshotter,
      closed: closed.signal,
    });
    const app: AppContext = {
      state,
      log,
      past: new Past({ log, environment, state }),
      supervision,
      settings: settingsOf(options),
      environment,
      keys: options.keys ?? null,
      isDraining: () => draining.signal.aborted,
      obstacle: options.obstacle ?? (() => null),
    };
    return new Engine({ app, journal, pipeline, followers, snapshotter, logger, draining, closed });
  }
}

function reportsTo(pipeline: CommitPipeline, { logger, onFenced }: EngineOptions): JournalHandlers<LogEntry> {
  return {
    onStored: (entry, sequence) => pipeline.onStored(entry, sequence),
    onState: (state) => {
      pipeline.onState(state);
      if (state.kind === 'resyncing') {
        logger.warn({ reason: state.reason }, 'event log unreachable; resynchronizing');
      }
      if (state.kind !== 'fenced') return;
      if (state.error.code === 'log_corrupt') logger.fatal({ err: state.error }, state.error.message);
      else onFenced(state.error);
    },
  };
}

function supervisionOf(state: EngineState, pipeline: CommitPipeline, options: EngineOptions): Supervision {
  const roster = new AgentRoster(options.agents);
  const tokens = new AttemptTokens(options.secret);
  const { concurrency, projectConcurrency } = options.limits;
  const supervisor = new Supervisor({
    ...state,
    pipeline,
    environment: options.environment,
    roster,
    tokens,
    logger: options.logger,
    attemptsDirectory: directoriesOf(options).attempts,
    concurrency,
    projectConcurrency,
    url: options.url,
    workspaces: options.workspaces ?? null,
    prompts: options.prompts ?? BUILT_IN_PROMPTS,
    prices: options.prices ?? {},
    ...(options.storesContent === false ? {} : filesOf(options)),
  });
  return { supervisor, roster, tokens };
}

function snapshotterOf(
  { host, projections, retention }: EngineState,
  pipeline: CommitPipeline,
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

/** Stores `supervisor.started`: with it the log belongs to this writer. */
async function recordStart(
  journal: Journal<LogEntry>,
  pipeline: CommitPipeline,
  tip: Tip,
  { version, writer }: EngineOptions,
): Promise<void> {
  const event = { type: 'supervisor.started', writer, version, host: hostname(), pid: process.pid } as const;
  const entry = pipeline.prepare(event, { actor: 'supervisor' });
  const result = await journal.takeOver(tip, entry);
  if (!result.ok) {
    throw new SignalboxError(
      'log_in_use',
      `the log moved from ${tip.sequence} to ${result.tip.sequence} while it was read: another Signalbox writes it. Stop that one first`,
    );
  }
  pipeline.onStored(entry, tip.sequence + 1);
}

interface LogParts {
  readonly pipeline: CommitPipeline;
  readonly journal: Journal<LogEntry>;
  readonly reader: LogReader;
  readonly completeness: Completeness;
  readonly followers: Followers;
  readonly snapshotter: Snapshotter | null;
  readonly closed: AbortSignal;
}

function logOf(parts: LogParts): EventLog {
  const { pipeline, journal, reader, completeness, followers, snapshotter, closed } = parts;
  return {
    commit: (event, origin) => pipeline.commit(event, origin),
    decide: (event, origin, waiter) => pipeline.decide(event, origin, waiter),
    assertWritable: () => pipeline.assertWritable(),
    get last() {
      return pipeline.last;
    },
    read: (range) => recordsOf(reader.read(range)),
    history: (task) => recordsOf(reader.readBySubject(taskSubject(task))),
    onRecord: (listener) => followers.add(listener),
    messages: {
      read: (range) => reader.read(range),
      readPresent: (range) => journal.readPresent(range),
      readByFilter: (filter) => reader.readByFilter(filter),
      erase: (sequence) => journal.erase(sequence),
    },
    get damage() {
      const { state } = journal;
      return state.kind === 'fenced' && state.error.code === 'log_corrupt' ? state.error : null;
    },
    halt: (error) => journal.halt(error),
    checkComplete: () => completeness.check(pipeline.last.tip.sequence),
    dropSnapshots: async () => snapshotter?.drop(),
    closed,
  };
}

function settingsOf(options: EngineOptions): Settings {
  const { queueDepth, concurrency, projectConcurrency } = options.limits;
  return {
    defaults: options.defaults,
    reviewOf: options.reviewOf,
    templates: options.templates ?? (() => ({})),
    limits: { queueDepth, concurrency, projectConcurrency },
    directories: directoriesOf(options),
  };
}
