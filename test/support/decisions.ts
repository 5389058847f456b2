/** Decisions about a task, as the operations of the same names record them. */

import type { TaskView } from '../../projections/index.ts';
import type { AppContext } from '../../src/app/context.ts';
import {
  cancelTask as cancelAnyTask,
  decideTask,
  type TaskDecision,
} from '../../src/app/tasks/decide-task.ts';
import { editTask } from '../../src/app/tasks/edit-task.ts';
import { ANONYMOUS } from '../../src/contracts/actors.ts';
import type { Decision, EditTask } from '../../src/contracts/api/requests.ts';
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
export const cancelTree = (
  app: AppContext,
  ref: TaskRef,
  request: Decision,
  actor: string,
): Promise<unknown> => cancelAnyTask(app, ref, { ...request, children: true }, actor);
export const blockTask = deciding((ref, reason = 'blocked by an operator') => ({
  type: 'task.blocked',
  ...ref,
  attempt: null,
  reason,
}));
export const unblockTask = deciding((ref, comment) => ({ type: 'task.unblocked', ...ref, comment }));
export const retryTask = deciding((ref, comment) => ({ type: 'task.redriven', ...ref, comment }));

/** To a priority that differs from call to call. */
export const changePriority = (
  app: AppContext,
  ref: TaskRef,
  { comment = '', ...request }: Decision,
  actor: string,
): Promise<TaskView> => {
  const priority = 1 + ((comment.length + ref.task.length) % 10);
  return editTask(app, ref, { priority, comment, ...request }, actor);
};

/** Its title, and something else from call to call: its description, its agent, its labels, or when it expires. */
export const changeTask = (
  app: AppContext,
  ref: TaskRef,
  { comment = '', ...request }: Decision,
  actor: string,
): Promise<TaskView> => {
  const agents = [...app.supervision.roster.all()].map(({ id }) => id);
  const number = comment.length + ref.task.length;
  const inAMinute = new Date(app.environment.clock.now() + 60_000).toISOString();
  const edits: readonly EditTask[] = [
    { description: `because of ${comment}` },
    { agent: agents[number % agents.length] ?? null, priority: 1 + (number % 10) },
    { labels: { round: comment, old: null }, timeout_seconds: 30 + number },
    { expires_at: number % 2 === 0 ? inAMinute : null },
  ];
  const edit = edits[comment.length % edits.length];
  return editTask(app, ref, { ...edit, title: comment, comment, ...request }, actor);
};
