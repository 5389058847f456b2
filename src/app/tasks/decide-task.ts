/** Decisions about a task, which an operation declares as the event that records it. */
import type { TaskView } from '../../../projections/index.ts';
import type { TaskAnswer } from '../../contracts/api/answers.ts';
import type { Cancellation, Decision } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { DomainEvent } from '../../contracts/events/events.ts';
import { type TaskRef, taskKey } from '../../contracts/ids.ts';
import { cancelledAbove, childrenOf, unsettledBelow, viewKey } from '../../engine/runtime/views.ts';
import { approvalOf } from '../../engine/supervisor/workspaces/workspace-facts.ts';
import { type AppContext, commitForTask, deciderOf, findTask, type Needs, taskInMemory } from '../context.ts';
import { childrenJson, taskJson } from './task-json.ts';

/** How many children an error names in its text. Its details have all. */
const MAX_NAMED = 5;

export type TaskDecision = Extract<DomainEvent, { task: string }>;

/**
 * Records a decision. Unblocking a task that waits for answers declines its questions. A task that joins its children cannot be approved before they are settled.
 * @param request who decides, if not the actor
 * @throws SignalboxError `task_not_found`, `illegal_transition`, and what `commitForTask` throws
 */
export async function decideTask(
  app: AppContext,
  decision: TaskDecision,
  request: Pick<Decision, 'by'>,
  actor: string,
): Promise<TaskView> {
  if (decision.type === 'task.approved') {
    assertJoined(app, await findTask(app, decision));
  }
  if (decision.type === 'task.redriven') assertMayRunAgain(app, await findTask(app, decision));
  const decider = deciderOf(request, actor);
  if (decision.type === 'task.unblocked' && isParked(app, decision)) {
    await declineQuestions(app, decision, decider);
    return findTask(app, decision);
  }
  const approved = decision.type === 'task.approved' ? approvalOf(app.state.projections, decision) : decision;
  return commitForTask(app, approved, decider);
}

/**
 * Cancels a task, with "children" also everything below it. That is one event: what follows for each of those tasks is
 * decided by the supervisor, also after a crash in between.
 * @returns the task; with "children" also how many tasks below it had not ended
 * @throws SignalboxError as `decideTask`
 */
export async function cancelTask(
  app: AppContext,
  ref: TaskRef,
  { comment: reason, children, by }: Cancellation,
  actor: string,
): Promise<TaskAnswer> {
  const { projections } = app.state;
  const below = children ? unsettledBelow(projections, await findTask(app, ref)).length : 0;
  const task = await decideTask(app, { type: 'task.cancelled', ...ref, reason, children }, { by }, actor);
  const direct = childrenOf(projections, ref);
  return {
    ...taskJson(task),
    ...(children && direct.length > 0 && { children: childrenJson(direct, below) }),
  };
}

/** What is below a task that was cancelled with its children stays over. @throws SignalboxError `illegal_transition` */
export function assertMayRunAgain({ state }: Needs<'state.projections'>, task: TaskView): void {
  const above = cancelledAbove(state.projections, task);
  if (above === null) return;
  throw new SignalboxError(
    'illegal_transition',
    `task ${task.id} is below task ${above.id}, which was cancelled with everything below it: create a copy`,
    { details: { entity: 'task', id: viewKey(task), status: task.state, cancelled: above.id } },
  );
}

/** Whether it waits for answers without an attempt; one that was cancelled meanwhile does not. */
function isParked({ state: { host } }: AppContext, ref: TaskRef): boolean {
  const { state, context } = host.get('task', taskKey(ref)) ?? {};
  return state === 'blocked' && context?.parked === true;
}

/** A task that waits for answers goes on without them. */
async function declineQuestions(
  app: AppContext,
  { project, task, comment }: Extract<TaskDecision, { type: 'task.unblocked' }>,
  actor: string,
): Promise<void> {
  const { questions } = app.supervision.supervisor;
  for (const question of taskInMemory(app, { project, task })?.openQuestions ?? []) {
    app.log.assertWritable();
    await questions.answer({ project, task, question }, { action: 'declined', comment }, actor);
  }
}

function assertJoined(app: AppContext, task: TaskView): void {
  const { id, state } = task;
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
        id: viewKey(task),
        status: state,
        event: 'task.approved',
        legal: app.state.host.acceptedTypes('task', viewKey(task)).filter((type) => type !== 'task.approved'),
        children: ids,
      },
    },
  );
}
