/** Edits a task while it waits. An edit that changes nothing is not recorded. */
import type { TaskView } from '../../../projections/index.ts';
import type { EditTask } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import {
  changesBy,
  type TaskChanges,
  type TaskEdit,
  withChanges,
} from '../../contracts/events/task-edits.ts';
import { BACKGROUND_PROJECT, type TaskRef, taskKey } from '../../contracts/ids.ts';
import { SETTLED_STATES } from '../../contracts/tasks.ts';
import { type AppContext, commitForTask, deciderOf, findTask } from '../context.ts';
import { assertEdited } from './task-spec.ts';

/** Edits that are not stored yet: the next one of a task builds upon them. */
const underway = new WeakMap<AppContext, Map<string, Promise<unknown>>>();

/**
 * @returns the task afterwards
 * @throws SignalboxError `not_editable`, `task_not_found`, `agent_not_found`, `invalid_request`, `forbidden`, and what
 * `commitForTask` throws
 */
export async function editTask(
  app: AppContext,
  ref: TaskRef,
  { by, comment, ...edit }: EditTask,
  actor: string,
): Promise<TaskView> {
  const key = taskKey(ref);
  const others = underway.get(app) ?? new Map<string, Promise<unknown>>();
  underway.set(app, others);
  for (let other = others.get(key); other; other = others.get(key)) await other.catch(() => {});
  const editing = edited(app, ref, edit, { by, comment, actor });
  others.set(key, editing);
  try {
    return await editing;
  } finally {
    others.delete(key);
  }
}

async function edited(
  app: AppContext,
  ref: TaskRef,
  edit: TaskEdit,
  { comment, by, actor }: Pick<EditTask, 'by' | 'comment'> & { readonly actor: string },
): Promise<TaskView> {
  const task = await findTask(app, ref);
  const decider = deciderOf({ by }, actor);
  const changes = changesBy(edit, task.spec);
  if (Object.keys(changes).length === 0) return task;
  assertOwn(task, changes);
  assertWaits(app, task, changes);
  assertEdited(app, task, edit, withChanges(task.spec, changes));
  const { project, id } = task;
  return commitForTask(app, { type: 'task.edited', project, task: id, changes, comment }, decider);
}

const changesPriorityOnly = (changes: TaskChanges): boolean =>
  Object.keys(changes).every((name) => name === 'priority');

/** What Signalbox has created for a review, a question or a command is its own. @throws SignalboxError `forbidden` */
function assertOwn({ project, id, spec }: TaskView, changes: TaskChanges): void {
  if (changesPriorityOnly(changes)) return;
  const isOwn = spec.reviews !== undefined || spec.answers !== undefined || project === BACKGROUND_PROJECT;
  if (!isOwn) return;
  const what =
    spec.reviews === undefined
      ? spec.answers === undefined
        ? 'is a background command'
        : 'answers a question'
      : 'is a review';
  throw new SignalboxError('forbidden', `task ${id} ${what}: only its priority can be changed`);
}

/** @throws SignalboxError `not_editable`, `illegal_transition` */
function assertWaits({ state: { host } }: AppContext, task: TaskView, changes: TaskChanges): void {
  const { id } = task;
  // The machine, which knows of decisions that are not stored yet.
  const { state = task.state, context } =
    host.get('task', taskKey({ project: task.project, task: id })) ?? {};
  const details = { project: task.project, task: id, status: state };
  if (SETTLED_STATES.has(state)) {
    throw new SignalboxError(
      'not_editable',
      `task ${id} is ${state}: what has ended is not edited. Create a changed copy instead`,
      { details },
    );
  }
  if (changesPriorityOnly(changes)) return;
  const attempt = context?.openAttempt ?? null;
  if (attempt !== null) {
    throw new SignalboxError(
      'not_editable',
      `attempt ${attempt} of task ${id} is open: until it has ended, only the priority can be changed. To tell its agent something, send a message (task steer)`,
      { details: { ...details, attempt } },
    );
  }
  if (state !== 'review') return;
  throw new SignalboxError(
    'not_editable',
    `task ${id} has a result, which waits for review: only its priority can be changed. Reject the result with a comment, or create a changed copy`,
    { details },
  );
}
