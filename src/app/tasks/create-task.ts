/** Creates tasks. The same request again creates nothing and returns the existing task. */
import type { TaskView } from '../../../projections/index.ts';
import { canonicalJson } from '../../base/canonical-json.ts';
import { sha256 } from '../../base/hash.ts';
import { normalForm } from '../../base/text/normal-form.ts';
import type { IncomingTrace } from '../../base/trace-context.ts';
import type { CreateTask } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { BACKGROUND_PROJECT, type TaskRef, taskKey } from '../../contracts/ids.ts';
import { isReserved, keyedTaskId, SCHEDULE_KEY_PREFIX } from '../../engine/runtime/task-ids.ts';
import { type AppContext, commitForTask, findTask, recall, taskInMemory } from '../context.ts';
import { followRecords } from '../events/follow.ts';
import { type Creator, inheritedBy } from './inherited.ts';
import { assertParentOpen, relationsOf, specOf } from './task-spec.ts';

export interface Created {
  readonly task: TaskView;
  /** false if an earlier, equal request created it. */
  readonly created: boolean;
}

const GENERATED_ID_LENGTH = 12;

/**
 * @param creator an attempt creates children of its own task (inherited.ts)
 * @param trace the trace of the caller. It is not part of the request, so an equal request may have another one
 * @throws SignalboxError `forbidden` for the project of background commands, `task_exists`, `idempotency_conflict`,
 * `agent_not_found`, `overloaded`, `shutting_down`, and what `commitForTask` throws.
 */
export async function createTask(
  app: AppContext,
  project: string,
  request: CreateTask,
  creator: Creator,
  trace: IncomingTrace = {},
): Promise<Created> {
  if (project === BACKGROUND_PROJECT) {
    throw new SignalboxError(
      'forbidden',
      `the project ${BACKGROUND_PROJECT} is for background commands: start one with POST /api/background`,
    );
  }
  return createAnyTask(app, project, request, creator, trace);
}

/** The same for every project, for callers that have checked the project already. */
export async function createAnyTask(
  app: AppContext,
  project: string,
  request: CreateTask,
  creator: Creator,
  trace: IncomingTrace = {},
): Promise<Created> {
  assertFreeName(request, creator);
  const request_sha256 = sha256(normalForm(canonicalJson(request)));
  const ref = { project, task: idOf(app, project, request) };
  for (;;) {
    const known = await findEarlier(app, ref, request, request_sha256);
    if (known) return { task: known, created: false };
    assertAccepting(app);
    const { attempt } = creator;
    const asked = attempt === null ? request : await inheritedBy(app, project, request, attempt);
    const waiting = await relationsOf(app, project, asked);
    // An equal request may have arrived in the meantime.
    if (app.state.host.get('task', taskKey(ref))) continue;
    assertParentOpen(app, project, asked.parent);
    const waiting_for = waiting.length > 0 ? waiting : undefined;
    const spec = { ...specOf(app, project, asked), ...trace };
    const event = { type: 'task.created', ...ref, spec, request_sha256, waiting_for } as const;
    const task = await remember(
      app,
      project,
      request,
      request_sha256,
      commitForTask(app, event, creator.actor),
    );
    return { task, created: true };
  }
}

/** What Signalbox creates by itself, for a time, a question or a review, must not be there before. */
function assertFreeName({ id, idempotency_key: key }: CreateTask, { attempt }: Creator): void {
  const isTaken = key?.startsWith(SCHEDULE_KEY_PREFIX) || (attempt !== null && isReserved(id ?? ''));
  if (!isTaken) return;
  throw new SignalboxError(
    'forbidden',
    `${key === undefined ? `the id ${id}` : `the idempotency key ${JSON.stringify(key)}`} is reserved for Signalbox: choose another one`,
  );
}

/** An id that is not given follows from the idempotency key, so the key finds its task after it has left memory, too. */
function idOf(
  { environment }: AppContext,
  project: string,
  { id, idempotency_key: key }: CreateTask,
): string {
  if (id !== undefined) return id;
  return key === undefined ? environment.randomId(GENERATED_ID_LENGTH) : keyedTaskId(project, key);
}

/** Requests with a key that are not stored yet: the projections do not have them. */
const underway = new WeakMap<AppContext, Map<string, { sha: string; task: Promise<TaskView> }>>();

async function remember(
  app: AppContext,
  project: string,
  { idempotency_key }: CreateTask,
  sha: string,
  task: Promise<TaskView>,
): Promise<TaskView> {
  if (idempotency_key === undefined) return task;
  const key = `${project}/${idempotency_key}`;
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
  ref: TaskRef,
  request: CreateTask,
  sha: string,
): Promise<TaskView | null> {
  const { project, task: id } = ref;
  const byKey = await findByKey(app, project, request.idempotency_key);
  const earlier = byKey ?? (await findById(app, ref, request));
  if (!earlier || earlier.requestSha256 === sha) return earlier;
  const { state } = earlier;
  const details = { project, task: earlier.id, status: state };
  throw byKey || request.id === undefined
    ? new SignalboxError(
        'idempotency_conflict',
        `the idempotency key ${JSON.stringify(request.idempotency_key)} belongs to task ${earlier.id}, which was created with different content: use another key`,
        { details },
      )
    : new SignalboxError(
        'task_exists',
        `project ${project} has a task ${id} already, with different content: use another id`,
        { details },
      );
}

async function findByKey(
  app: AppContext,
  project: string,
  idempotencyKey: string | undefined,
): Promise<TaskView | null> {
  if (idempotencyKey === undefined) return null;
  const key = `${project}/${idempotencyKey}`;
  const pending = underway.get(app)?.get(key);
  if (pending) return pending.task;
  const { idempotencyKeys, tasks } = app.state.projections.blackboard;
  return tasks.get(idempotencyKeys.get(key) ?? '') ?? null;
}

async function findById(app: AppContext, ref: TaskRef, request: CreateTask): Promise<TaskView | null> {
  if (app.state.host.get('task', taskKey(ref))) return taskInMemory(app, ref) ?? (await stored(app, ref));
  // A random id is new.
  if (request.id === undefined && request.idempotency_key === undefined) return null;
  return (await recall(app, ref))?.view ?? null;
}

/** Waits until a task that was decided is stored. */
async function stored(app: AppContext, ref: TaskRef): Promise<TaskView> {
  for await (const { event } of followRecords(app)) {
    if ('task' in event && taskKey(event) === taskKey(ref)) break;
  }
  return findTask(app, ref);
}

function assertAccepting(app: AppContext): void {
  if (app.isDraining()) {
    throw new SignalboxError('shutting_down', 'Signalbox is shutting down and takes no new tasks');
  }
  const obstacle = app.obstacle();
  if (obstacle !== null) throw new SignalboxError('log_unavailable', `no new tasks are taken: ${obstacle}`);
  const { pending, scheduled } = app.state.projections.blackboard.counts;
  const waiting = pending + scheduled;
  if (waiting >= app.settings.limits.queueDepth) {
    throw new SignalboxError(
      'overloaded',
      `${waiting} tasks are waiting, the limit is ${app.settings.limits.queueDepth}: try again later`,
    );
  }
}
