/** What the use cases work with. They are the only way in: HTTP, the library and every other skin call them. */
import type { Projections, TaskView } from '../../projections/index.ts';
import { SignalboxError } from '../contracts/errors.ts';
import type { DomainEvent, StoredRecord } from '../contracts/events.ts';
import type { ProjectId, TaskId } from '../contracts/ids.ts';
import type { Backoff } from '../contracts/tasks.ts';
import type { ActorHost } from '../runtime/actor-host.ts';
import type { CommitPipeline } from '../runtime/commit-pipeline.ts';
import type { Environment } from '../runtime/environment.ts';
import type { AgentRoster } from '../supervisor/agent-roster.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import type { AttemptTokens } from '../supervisor/tokens.ts';

/** What a task gets where its creator says nothing. */
export interface TaskDefaults {
  readonly priority: number;
  readonly max_attempts: number;
  readonly review: 'auto' | 'manual';
  readonly backoff: Backoff;
}

export interface AppContext {
  readonly host: ActorHost;
  readonly projections: Projections;
  readonly pipeline: CommitPipeline;
  readonly supervisor: Supervisor;
  readonly roster: AgentRoster;
  readonly tokens: AttemptTokens;
  readonly environment: Environment;
  readonly defaults: TaskDefaults;
  /** Review mode of agents that have one of their own. */
  readonly reviewOf: (agent: string) => 'auto' | 'manual' | undefined;
  /** Pending tasks from which on new ones are refused. */
  readonly queueDepth: number;
  /** Attempts that may be open at the same time: of all agents together, and of each project. */
  readonly concurrency: number;
  readonly projectConcurrency: number;
  readonly contentDirectory: string;
  /** Holds a directory for each attempt: `<project>/<task>/<number>`. */
  readonly attemptsDirectory: string;
  /** The recorded history of one task. */
  readonly history: (project: ProjectId, task: TaskId) => AsyncIterable<StoredRecord>;
  /** Calls the listener for every committed record, until the answer is called. */
  readonly onRecord: (listener: (record: StoredRecord) => void) => () => void;
  readonly isDraining: () => boolean;
  /** Aborted when this process has let go of the log: no record comes any more. */
  readonly closed: AbortSignal;
}

/** @throws SignalboxError `task_not_found` */
export function findTask(app: AppContext, project: ProjectId, task: TaskId): TaskView {
  const view = app.projections.blackboard.tasks.get(`${project}/${task}`);
  if (view) return view;
  throw new SignalboxError('task_not_found', `project ${project} has no task ${task}`, {
    details: { project, task },
  });
}

/**
 * Decides an event on behalf of a caller, and answers with the task as it is then.
 * @throws SignalboxError `illegal_transition`, `body_too_large`, `log_unavailable`, `overloaded`, `log_fenced`
 */
export async function commitForTask(
  app: AppContext,
  event: Extract<DomainEvent, { task: string }>,
  actor: string,
): Promise<TaskView> {
  app.pipeline.assertWritable();
  await app.pipeline.commit(event, { actor });
  return findTask(app, event.project as ProjectId, event.task as TaskId);
}
