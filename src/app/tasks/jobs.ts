/** The plain job API: its requests as tasks, and tasks as its answers. */

import type { TaskView } from '../../../projections/index.ts';
import { cutText } from '../../base/text/cut-text.ts';
import type { IncomingTrace } from '../../base/trace-context.ts';
import { type CreateJob, JOB_PROJECT, type JobAnswer, type JobState } from '../../contracts/api/jobs.ts';
import { createTaskSchema } from '../../contracts/api/requests.ts';
import { SignalboxError, unreachable } from '../../contracts/errors.ts';
import type { TaskRef } from '../../contracts/ids.ts';
import type { TaskState } from '../../contracts/tasks.ts';
import { type AppContext, findAttempts, findTask } from '../context.ts';
import { type Created, createTask } from './create-task.ts';
import { decideTask } from './decide-task.ts';
import { type Creator, reviewInForce } from './inherited.ts';
import { outputJson, timeOf } from './task-json.ts';

const TITLE_LENGTH = 100;

/**
 * Creates a task that needs no review: the job is completed when its agent has finished. One that an attempt creates is reviewed
 * like the task of that attempt.
 * @throws SignalboxError `invalid_task` for a type that no agent can do, and what `createTask` throws
 */
export async function createJob(
  app: AppContext,
  job: CreateJob,
  idempotencyKey: string | undefined,
  creator: Creator,
  trace: IncomingTrace = {},
): Promise<Created> {
  const { task_type: type, description, parameters: params, priority, timeout_seconds } = job;
  if (app.supervision.roster.takersOf(`type:${type}`).length === 0) {
    const known = [...new Set([...app.supervision.roster.all()].flatMap(({ capabilities }) => capabilities))];
    throw new SignalboxError(
      'invalid_task',
      `task_type: no agent has the capability ${type}; known are: ${known.join(', ') || 'none'}`,
      { details: { task_type: type, known } },
    );
  }
  const request = createTaskSchema.parse({
    title: titleOf(description),
    description,
    type,
    params,
    priority,
    timeout_seconds,
    review: creator.attempt === null ? 'auto' : await reviewInForce(app, creator.attempt),
    outputs: 'optional',
    idempotency_key: idempotencyKey,
  });
  return createTask(app, JOB_PROJECT, request, creator, trace);
}

function jobRef(id: string): TaskRef {
  return { project: JOB_PROJECT, task: id };
}

/** @throws SignalboxError `task_not_found`, `log_unavailable` */
export async function readJob(app: AppContext, id: string): Promise<JobAnswer> {
  return jobJson(app, await findTask(app, jobRef(id)));
}

/** Does nothing if the job is cancelled already. @throws SignalboxError `task_not_found`, `illegal_transition`, as `decideTask` */
export async function cancelJob(app: AppContext, id: string, actor: string): Promise<TaskView> {
  const job = await findTask(app, jobRef(id));
  if (job.state === 'cancelled') return job;
  return decideTask(app, { type: 'task.cancelled', ...jobRef(id) }, {}, actor);
}

export async function jobJson(app: AppContext, task: TaskView): Promise<JobAnswer> {
  const { id, spec, state, attempts, outputs } = task;
  const status = jobStateOf(state);
  const [first] = await findAttempts(app, jobRef(id));
  const result = {
    text: outputs.at(-1)?.content ?? null,
    outputs: outputs.map((output) => outputJson(output, app.settings.directories.content)),
  };
  return {
    task_id: id,
    status,
    task_status: state,
    task_type: spec.type ?? null,
    description: spec.description,
    parameters: spec.params ?? {},
    priority: spec.priority,
    timeout_seconds: spec.timeout_seconds ?? null,
    attempts,
    result: status === 'completed' ? result : null,
    error: status === 'failed' || status === 'cancelled' ? errorOf(task) : null,
    created_at: timeOf(task.createdAt),
    started_at: timeOf(first?.startedAt ?? null),
    finished_at: timeOf(task.finishedAt),
  };
}

function jobStateOf(state: TaskState): JobState {
  switch (state) {
    case 'scheduled':
    case 'pending':
    case 'blocked':
      return 'created';
    case 'claimed':
    case 'working':
    case 'review':
      return 'running';
    case 'done':
      return 'completed';
    case 'failed':
    case 'expired':
      return 'failed';
    case 'cancelled':
      return 'cancelled';
    default:
      return unreachable(state, 'jobStateOf');
  }
}

function errorOf({ state, lastOutcome, reason }: TaskView): JobAnswer['error'] {
  const code = state === 'failed' ? (lastOutcome ?? 'failed') : state;
  return { code, message: reason ?? `the task is ${state}` };
}

/** The first line of the description. */
function titleOf(description: string): string {
  const [line = ''] = description.split('\n', 1);
  return cutText(line, TITLE_LENGTH, '…');
}
