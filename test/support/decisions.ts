/** Decisions about a task, as the operations of the same names record them. */

import type { TaskView } from '../../projections/index.ts';
import type { AppContext } from '../../src/app/context.ts';
import { decideTask, type TaskDecision } from '../../src/app/tasks/decide-task.ts';
import { ANONYMOUS } from '../../src/contracts/actors.ts';
import type { Decision } from '../../src/contracts/api/requests.ts';
import type { TaskRef } from '../../src/contracts/ids.ts';

/** A local caller without a token. */
export const LOCAL = { actor: ANONYMOUS, token: null } as const;

const deciding =
  (decision: (ref: TaskRef, comment: string | undefined) => TaskDecision) =>
  (app: AppContext, ref: TaskRef, request: Decision, actor: string): Promise<TaskView> =>
    decideTask(app, decision(ref, request.comment), request, actor);

export const approveTask = deciding((ref, comment) => ({ type: 'task.approved', ...ref, comment }));
export const rejectTask = deciding((ref, comment = '') => ({ type: 'task.rejected', ...ref, comment }));
export const cancelTask = deciding((ref, reason) => ({ type: 'task.cancelled', ...ref, reason }));
export const blockTask = deciding((ref, reason = 'blocked by an operator') => ({
  type: 'task.blocked',
  ...ref,
  attempt: null,
  reason,
}));
export const unblockTask = deciding((ref, comment) => ({ type: 'task.unblocked', ...ref, comment }));
export const retryTask = deciding((ref, comment) => ({ type: 'task.redriven', ...ref, comment }));

/** To a priority that differs from call to call. */
export const changePriority = deciding((ref, comment = '') => ({
  type: 'task.priority_changed',
  ...ref,
  priority: 1 + ((comment.length + ref.task.length) % 10),
  comment,
}));
