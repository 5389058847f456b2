/** What a person decides about a task: approve, reject, cancel, block, unblock, retry. */
import type { TaskView } from '../../projections/index.ts';
import type { DomainEvent } from '../contracts/events.ts';
import type { ProjectId, TaskId } from '../contracts/ids.ts';
import type { Decision, Rejection } from '../contracts/requests.ts';
import { type AppContext, commitForTask, findTask } from './context.ts';

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
  return async (app, project, task, request, actor) => {
    findTask(app, project, task);
    const by = request.by === undefined ? actor : `user:${request.by}`;
    return commitForTask(app, event({ project, task }, request), by);
  };
}

/** review → done. */
export const approveTask = deciding<Decision>((address, { comment }) => ({
  type: 'task.approved',
  ...address,
  comment,
}));

/** review → pending, or failed where no attempt is left. The comment reaches the next attempt. */
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

/** blocked → pending, or failed where no attempt is left. */
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
