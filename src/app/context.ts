/** The context of the use cases, through which HTTP, NATS, the library and all other adapters work. */
import {
  type AttemptView,
  messagesOf,
  type PastStates,
  type Projections,
  type QuestionView,
  questionsOf,
  type SteeringMessage,
  type TaskView,
} from '../../projections/index.ts';
import type { Environment } from '../base/environment.ts';
import { isUnnamed, SUPERVISOR_NAME, userActor } from '../contracts/actors.ts';
import type { Decision } from '../contracts/api/requests.ts';
import type { Backoff } from '../contracts/config-values.ts';
import { SignalboxError } from '../contracts/errors.ts';
import type { DomainEvent, StoredRecord } from '../contracts/events/events.ts';
import { type TaskRef, taskKey } from '../contracts/ids.ts';
import type { Templates } from '../contracts/templates.ts';
import type { Moment } from '../engine/replay/moment.ts';
import type { ActorHost } from '../engine/runtime/actor-host.ts';
import type { Archive, ArchivedTask } from '../engine/runtime/archive.ts';
import type { CommitPipeline } from '../engine/runtime/commit-pipeline.ts';
import type { Retention } from '../engine/runtime/retention.ts';
import { attemptsOf, taskOf } from '../engine/runtime/views.ts';
import type { AgentRoster } from '../engine/supervisor/agent-roster.ts';
import type { Supervisor } from '../engine/supervisor/supervisor.ts';
import type { AttemptTokens } from '../engine/supervisor/tokens.ts';
import type { Journal, JournalEntry, ReadRange } from '../journal/journal.ts';

export interface TaskDefaults {
  readonly priority: number;
  readonly max_attempts: number;
  /** `manual`, `auto`, or the agent that reviews. */
  readonly review: string;
  readonly backoff: Backoff;
}

/** The key that signs checkpoints of the log. */
export interface CheckpointKeys {
  /**
   * Replaces the key by a new one, signed by the old one. @returns fingerprint and public key of the new one
   * @throws SignalboxError as a commit does
   */
  rotate(actor: string): Promise<{ readonly key: string; readonly public_key: string }>;
}

/** The present state; all of it follows from the log. */
export interface EngineState {
  readonly host: ActorHost;
  readonly projections: Projections;
  /** Tasks that have left memory. */
  readonly archive: Archive;
  readonly retention: Retention;
}

/** The log: deciding events, reading what is recorded, and following it. */
export interface EventLog extends Pick<CommitPipeline, 'commit' | 'decide' | 'assertWritable' | 'last'> {
  /** A part of the log, in order. @throws SignalboxError `nats_unavailable`, `log_corrupt` (while it is read) */
  read(range: ReadRange): AsyncIterable<StoredRecord>;
  /** The events of a task and its attempts. */
  history(task: TaskRef): AsyncIterable<StoredRecord>;
  /** Calls the listener for every committed record, until the returned function is called. */
  onRecord(listener: (record: StoredRecord) => void): () => void;
  /** The stored messages: redacted ones are read as their tombstones; `readPresent` leaves them out. */
  readonly messages: Pick<Journal<JournalEntry>, 'read' | 'readPresent' | 'readByFilter' | 'erase'>;
  /** Deletes the snapshots, which hold texts of events too. @throws what deleting throws */
  dropSnapshots(): Promise<void>;
  /** Why the log must not be written any more: it is damaged. null if that is not known of it. */
  readonly damage: SignalboxError | null;
  /** Ends the writing for good, because the log is damaged. */
  halt(error: SignalboxError): void;
  /** Compares what the store says of the log with what is known. @throws SignalboxError `log_corrupt`, `nats_unavailable` */
  checkComplete(): Promise<void>;
  /** Aborted when this process has released the log: no more records follow. */
  readonly closed: AbortSignal;
}

/** The state at past moments. */
export interface PastReader {
  /**
   * Calls `show` with the state at a moment, which must not be kept beyond the call.
   * @throws SignalboxError `no_such_moment`, `past_pending` if reading takes too long, `nats_unavailable`, `log_corrupt`
   */
  at<Shown>(
    moment: Moment,
    signal: AbortSignal,
    show: (state: PastStates, record: StoredRecord) => Shown,
  ): Promise<Shown>;
}

export interface Supervision {
  readonly supervisor: Supervisor;
  readonly roster: AgentRoster;
  readonly tokens: AttemptTokens;
}

export interface Settings {
  readonly defaults: TaskDefaults;
  /** Review mode of agents that have one of their own. */
  readonly reviewOf: (agent: string) => string | undefined;
  /** Templates of tasks, as the configuration has them now. */
  readonly templates: () => Templates;
  readonly limits: {
    /** The number of waiting tasks at which new ones are refused. */
    readonly queueDepth: number;
    /** Attempts that may be open at the same time: of all agents together, and of each project. */
    readonly concurrency: number;
    readonly projectConcurrency: number;
  };
  readonly directories: {
    /** Everything that Signalbox keeps beside the log. */
    readonly data: string;
    readonly content: string;
    /** Holds a directory for each attempt: `<project>/<task>/<number>`. */
    readonly attempts: string;
  };
}

export interface AppContext {
  readonly state: EngineState;
  readonly log: EventLog;
  readonly past: PastReader;
  readonly supervision: Supervision;
  readonly settings: Settings;
  readonly environment: Environment;
  /** null if nothing is signed. */
  readonly keys: CheckpointKeys | null;
  readonly isDraining: () => boolean;
  /** What keeps this process from working; null if nothing does. */
  readonly obstacle: () => string | null;
}

type Paths = {
  [Group in keyof AppContext]: Group | `${Group}.${keyof AppContext[Group] & string}`;
}[keyof AppContext];

type Part<Path> = Path extends `${infer Group extends keyof AppContext}.${infer Name}`
  ? { readonly [Each in Group]: Pick<AppContext[Group], Name & keyof AppContext[Group]> }
  : Pick<AppContext, Path & keyof AppContext>;

/** The parts of the context that a function needs: `Needs<'state.projections' | 'log.read' | 'environment'>`. */
export type Needs<Path extends Paths> = (Path extends Paths ? (part: Part<Path>) => void : never) extends (
  parts: infer All,
) => void
  ? All
  : never;

/** What reading tasks needs, for the present and for moments of the past. */
export interface Readable extends Needs<'log.history'> {
  readonly state: Findable['state'];
  readonly settings: { readonly directories: Pick<Settings['directories'], 'content'> };
}

interface Findable extends Needs<'state.projections'> {
  readonly state: Pick<EngineState, 'projections'> & {
    readonly archive: Pick<Archive, 'find'>;
    readonly retention: Pick<Retention, 'forgotten'>;
  };
}

/** The task if it is in memory: every unsettled task is, and recently settled ones. */
export function taskInMemory({ state }: Needs<'state.projections'>, ref: TaskRef): TaskView | undefined {
  return taskOf(state.projections, ref);
}

/** The task, from memory or from the log. @throws SignalboxError `task_not_found`, `log_unavailable` */
export async function findTask(app: Findable, ref: TaskRef): Promise<TaskView> {
  return taskInMemory(app, ref) ?? (await fromArchive(app, ref)).view;
}

/** All attempts of a task, from memory or from the log. @throws SignalboxError `task_not_found`, `log_unavailable` */
export async function findAttempts(app: Findable, ref: TaskRef): Promise<readonly AttemptView[]> {
  if (!taskInMemory(app, ref)) return (await fromArchive(app, ref)).attempts;
  return attemptsOf(app.state.projections, ref);
}

/** All questions of a task, from memory or from the log. @throws SignalboxError `task_not_found`, `log_unavailable` */
export async function findQuestions(app: Findable, ref: TaskRef): Promise<readonly QuestionView[]> {
  if (!taskInMemory(app, ref)) return (await fromArchive(app, ref)).questions;
  return questionsOf(app.state.projections.questions, ref);
}

/** The messages to the agents of a task. @throws SignalboxError `task_not_found`, `log_unavailable` */
export async function findMessages(app: Findable, ref: TaskRef): Promise<readonly SteeringMessage[]> {
  if (!taskInMemory(app, ref)) return (await fromArchive(app, ref)).messages;
  return messagesOf(app.state.projections.steering, ref);
}

/**
 * A task that has left memory; null if it never existed.
 * @throws SignalboxError `log_unavailable`
 */
export async function recall(
  { state: { retention, archive } }: Findable,
  ref: TaskRef,
): Promise<ArchivedTask | null> {
  if (retention.forgotten === 0) return null;
  try {
    return await archive.find(ref);
  } catch (cause) {
    if (!(cause instanceof SignalboxError) || cause.code !== 'nats_unavailable') throw cause;
    const why = `task ${ref.task} would have to be read from the event log, which is unreachable: try again in a moment`;
    throw new SignalboxError('log_unavailable', why, { cause });
  }
}

async function fromArchive(app: Findable, ref: TaskRef): Promise<ArchivedTask> {
  const archived = await recall(app, ref);
  if (archived) return archived;
  const { project, task } = ref;
  throw new SignalboxError('task_not_found', `project ${project} has no task ${task}`, {
    details: { project, task },
  });
}

/**
 * Decides an event on behalf of a caller. @returns the task afterwards
 * @throws SignalboxError `task_not_found`, `task_archived`, `illegal_transition`, `body_too_large`, `log_unavailable`,
 * `overloaded`, `log_fenced`
 */
export async function commitForTask(
  app: AppContext,
  event: Extract<DomainEvent, { task: string }>,
  actor: string,
  cause?: string,
): Promise<TaskView> {
  app.log.assertWritable();
  if (event.type !== 'task.created' && !app.state.host.get('task', taskKey(event))) {
    throw archivedError((await fromArchive(app, event)).view);
  }
  await app.log.commit(event, cause === undefined ? { actor } : { actor, cause });
  return findTask(app, event);
}

/** The actor of a decision: its sender, who may give another name only as long as there are no tokens. @throws SignalboxError `forbidden` */
export function deciderOf({ by }: Pick<Decision, 'by'>, actor: string): string {
  return speakerOf('by', by, actor);
}

/**
 * The actor under which a request is recorded.
 * @param field with the name in the request, for the message
 * @throws SignalboxError `forbidden` if it names another one than its authenticated sender
 */
export function speakerOf(field: string, name: string | undefined, actor: string): string {
  if (name === undefined || userActor(name) === actor) return actor;
  if (isUnnamed(actor)) {
    if (name !== SUPERVISOR_NAME) return userActor(name);
    throw new SignalboxError('forbidden', `${field}: the name ${name} stands for Signalbox itself`);
  }
  throw new SignalboxError(
    'forbidden',
    `${field}: you are ${actor}, and cannot speak for ${JSON.stringify(name)}: leave "${field}" out`,
    { details: { actor } },
  );
}

export function archivedError({ project, id, state }: TaskView): SignalboxError {
  return new SignalboxError(
    'task_archived',
    `task ${id} in project ${project} is ${state}, and has left memory since (retention): it can only be read. Create a new task`,
    { details: { project, task: id, status: state } },
  );
}
