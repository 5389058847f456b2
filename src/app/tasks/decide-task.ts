/** Decisions about a task: approve, reject, cancel, block, unblock, retry. */
import type { TaskView } from '../../../projections/index.ts';
import type { Decision, Rejection } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { DomainEvent } from '../../contracts/events/events.ts';
import { type ProjectId, type TaskId, taskKey } from '../../contracts/ids.ts';
import { type AppContext, commitForTask, findTask } from '../context.ts';
import { deciderOf } from '../decider.ts';

/** How many children an error names in its text. Its details have all. */
const MAX_NAMED = 5;

type Address = { readonly project: ProjectId; readonly task: TaskId };

/** @throws SignalboxError `task_not_found`, `illegal_transition`, and what `commitForTask` throws */
type Deciding<Request> = (
  app: AppContext,
  project: ProjectId,
  task: TaskId,
  request: Request,
  actor: string,
) => Promise<TaskView>;

function deciding<Request extends Decision>(
  event: (address: Address, request: Request) => Extract<DomainEvent, { task: string }>,
): Deciding<Request> {
  return async (app, project, task, request, actor) =>
    commitForTask(app, event({ project, task }, request), deciderOf(request, actor));
}

const approve = deciding<Decision>((address, { comment }) => ({
  type: 'task.approved',
  ...address,
  comment,
}));

/** review → done. Not possible while children that the task joins are not settled. */
export const approveTask: Deciding<Decision> = async (app, project, task, request, actor) => {
  assertJoined(app, await findTask(app, project, task));
  return approve(app, project, task, request, actor);
};

/** review → pending, or failed if no attempt is left. The next attempt gets the comment. */
export const rejectTask = deciding<Rejection>((address, { comment }) => ({
  type: 'task.rejected',
  ...address,
  comment,
}));

/** Ends a task that is not finished; its running attempt is stopped. */
export const cancelTask = deciding<Decision>((address, { comment }) => ({
  type: 'task.cancelled',
  ...address,
  reason: comment,
}));

/** Holds a task back until it is unblocked. */
export const blockTask = deciding<Decision>((address, { comment }) => ({
  type: 'task.blocked',
  ...address,
  attempt: null,
  reason: comment ?? 'blocked by an operator',
}));

/** blocked → pending, or failed if no attempt is left. */
export const unblockTask = deciding<Decision>((address, { comment }) => ({
  type: 'task.unblocked',
  ...address,
  comment,
}));

/** failed or expired → pending, with as many attempts again as the task was created with. */
export const retryTask = deciding<Decision>((address, { comment }) => ({
  type: 'task.redriven',
  ...address,
  comment,
}));

function assertJoined(app: AppContext, task: TaskView): void {
  const { project, id, state } = task;
  const children = app.supervision.supervisor.awaitedChildren(task);
  if (state !== 'review' || children.length === 0) return;
  const ids = children.map((child) => child.id);
  const named = ids.slice(0, MAX_NAMED).join(', ');
  const more = ids.length > MAX_NAMED ? ` and ${ids.length - MAX_NAMED} more` : '';
  throw new SignalboxError(
    'illegal_transition',
    `task ${id} joins its children, and ${named}${more} ${ids.length === 1 ? 'is' : 'are'} not settled: wait for them, or cancel them`,
    {
      details: {
        entity: 'task',
        id: taskKey({ project, task: id }),
        status: state,
        event: 'task.approved',
        legal: app.state.host
          .heard('task', taskKey({ project, task: id }))
          .filter((type) => type !== 'task.approved'),
        children: ids,
      },
    },
  );
}
