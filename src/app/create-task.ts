/** Creating tasks. The same request again answers with the task that is there, and creates nothing. */
import type { TaskView } from '../../projections/index.ts';
import { canonicalJson } from '../contracts/canonical.ts';
import { SignalboxError } from '../contracts/errors.ts';
import { type ProjectId, type TaskId, taskId } from '../contracts/ids.ts';
import type { CreateTask } from '../contracts/requests.ts';
import { sha256 } from '../journal/hash.ts';
import { type AppContext, commitForTask, findTask } from './context.ts';
import { followRecords } from './follow.ts';
import { relationsOf, specOf } from './task-spec.ts';

export interface Created {
  readonly task: TaskView;
  /** false where an earlier, equal request had created it. */
  readonly created: boolean;
}

const GENERATED_ID_LENGTH = 12;

/**
 * @throws SignalboxError `task_exists`, `idempotency_conflict`, `agent_not_found`, `overloaded`, `shutting_down`,
 * and what `commitForTask` throws.
 */
export async function createTask(
  app: AppContext,
  project: ProjectId,
  request: CreateTask,
  actor: string,
): Promise<Created> {
  const requestSha256 = sha256(canonicalJson(request));
  const known = await findEarlier(app, project, request, requestSha256);
  if (known) return { task: known, created: false };
  assertAccepting(app);
  const id =
    request.id === undefined ? taskId(app.environment.randomId(GENERATED_ID_LENGTH)) : taskId(request.id);
  const spec = specOf(app, request);
  const waiting_for = relationsOf(app, project, request);
  const created = commitForTask(
    app,
    {
      type: 'task.created',
      project,
      task: id,
      spec,
      request_sha256: requestSha256,
      waiting_for: waiting_for.length > 0 ? waiting_for : undefined,
    },
    actor,
  );
  return { task: await remember(app, project, request, requestSha256, created), created: true };
}

/** Keyed requests that are on their way into the log: the projection knows of them only when they are stored. */
const underway = new WeakMap<AppContext, Map<string, { sha: string; task: Promise<TaskView> }>>();

async function remember(
  app: AppContext,
  project: ProjectId,
  request: CreateTask,
  sha: string,
  task: Promise<TaskView>,
): Promise<TaskView> {
  if (request.idempotency_key === undefined) return task;
  const key = `${project}/${request.idempotency_key}`;
  const map = underway.get(app) ?? new Map();
  underway.set(app, map);
  map.set(key, { sha, task });
  try {
    return await task;
  } finally {
    map.delete(key);
  }
}

async function findEarlier(
  app: AppContext,
  project: ProjectId,
  request: CreateTask,
  sha: string,
): Promise<TaskView | null> {
  if (request.idempotency_key !== undefined) {
    const key = `${project}/${request.idempotency_key}`;
    const pending = underway.get(app)?.get(key);
    const taskKey = app.projections.blackboard.idempotencyKeys.get(key);
    const earlier = pending ? await pending.task : app.projections.blackboard.tasks.get(taskKey ?? '');
    if (earlier) {
      if (earlier.requestSha256 === sha) return earlier;
      throw new SignalboxError(
        'idempotency_conflict',
        `the idempotency key ${JSON.stringify(request.idempotency_key)} belongs to task ${earlier.id}, which was asked for with another content: use another key`,
        { details: { task: earlier.id } },
      );
    }
  }
  if (request.id === undefined) return null;
  const id = taskId(request.id);
  if (!app.host.get('task', `${project}/${id}`)) return null;
  const existing =
    app.projections.blackboard.tasks.get(`${project}/${id}`) ?? (await stored(app, project, id));
  if (existing.requestSha256 === sha) return existing;
  throw new SignalboxError(
    'task_exists',
    `project ${project} has a task ${id} already, with another content: use another id`,
    { details: { project, task: id, state: existing.state } },
  );
}

/** Waits for a task that is decided and not stored yet. */
async function stored(app: AppContext, project: ProjectId, id: TaskId): Promise<TaskView> {
  for await (const { event } of followRecords(app)) {
    if ('task' in event && event.task === id && event.project === project) break;
  }
  return findTask(app, project, id);
}

function assertAccepting(app: AppContext): void {
  if (app.isDraining()) {
    throw new SignalboxError('shutting_down', 'Signalbox is shutting down and takes no new tasks');
  }
  const { pending, scheduled } = app.projections.blackboard.counts;
  const waiting = pending + scheduled;
  if (waiting >= app.queueDepth) {
    throw new SignalboxError(
      'overloaded',
      `${waiting} tasks wait to be run, the limit is ${app.queueDepth}: try again later`,
    );
  }
}
