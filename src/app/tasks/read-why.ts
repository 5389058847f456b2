/** Explains why a task is not running, or not done: collects the facts for `why.ts`. */
import type { AttemptView, TaskView } from '../../../projections/index.ts';
import type { WaitAnswer, WhyAnswer } from '../../contracts/api/why.ts';
import { messageOf } from '../../contracts/errors.ts';
import { type TaskRef, taskKey } from '../../contracts/ids.ts';
import { attemptOf, childrenOf, refOf } from '../../engine/runtime/views.ts';
import { queueOf } from '../../engine/supervisor/agent-roster.ts';
import type { QueueKey } from '../../engine/supervisor/ready-tasks.ts';
import { reviewerOf } from '../../engine/supervisor/reviews.ts';
import { type AppContext, findTask, type Needs } from '../context.ts';
import { timeOf } from './task-json.ts';
import { explain, type QueuePlace, type ReviewSituation, type Situation, type Wait } from './why.ts';

/** @throws SignalboxError `task_not_found` */
export async function readWhy(app: AppContext, ref: TaskRef): Promise<WhyAnswer> {
  const situation = situationOf(app, await findTask(app, ref));
  const { task, queue } = situation;
  const { summary, waitsFor, next } = explain(situation);
  const place = { position: queue.ahead + 1, length: queue.length, of_other_projects: queue.ofOtherProjects };
  return {
    project: task.project,
    id: task.id,
    status: task.state,
    summary,
    waits_for: waitsFor.map(waitJson),
    next,
    queue: task.state === 'pending' ? place : null,
  };
}

function waitJson({ until, tasks, ...wait }: Wait): WaitAnswer {
  return { ...wait, tasks: tasks && [...tasks], until: until === undefined ? undefined : timeOf(until) };
}

function situationOf(app: AppContext, task: TaskView): Situation {
  const { host, projections } = app.state;
  const { roster, supervisor } = app.supervision;
  const queue = queueOf(task.spec);
  const children = childrenOf(projections, refOf(task));
  return {
    task,
    attempt: openAttemptOf(app, task),
    dependencies: unmetDependencies(app, task),
    awaitedChildren: supervisor.awaitedChildren(task),
    review: reviewOf(app, task),
    hasFailedChildren:
      task.spec.join === true &&
      children.some(({ spec, state }) => spec.reviews === undefined && isGivenUp(state)),
    takers: roster
      .takersOf(queue)
      .map((agent) => ({ id: agent, agent: projections.agents.byId.get(agent) ?? null })),
    queue: placeOf(app, task, queue),
    pausedQueue: projections.queues.paused.get(queue) ?? null,
    limits: {
      open: host.count('attempt'),
      concurrency: app.settings.limits.concurrency,
      openInProject: host.openAttempts(task.project),
      projectConcurrency: app.settings.limits.projectConcurrency,
    },
    logTrouble: logTroubleOf(app),
    isDraining: app.isDraining(),
  };
}

function reviewOf(
  { supervision: { roster, supervisor } }: Needs<'supervision'>,
  task: TaskView,
): ReviewSituation | null {
  const reviewer = reviewerOf(task.spec);
  if (reviewer === null) return null;
  const isConfigured = roster.get(reviewer) !== undefined;
  const review = supervisor.reviewOf(task);
  return { reviewer, isConfigured, isOwnWork: task.agent === reviewer, task: review ?? null };
}

function isGivenUp(state: TaskView['state']): boolean {
  return state === 'failed' || state === 'cancelled' || state === 'expired';
}

function openAttemptOf(
  { state }: Needs<'state.projections'>,
  { project, id, openAttempt }: TaskView,
): AttemptView | null {
  if (openAttempt === null) return null;
  return attemptOf(state.projections, { project, task: id, attempt: openAttempt }) ?? null;
}

function unmetDependencies(app: AppContext, { project, spec }: TaskView): Situation['dependencies'] {
  const { tasks } = app.state.projections.blackboard;
  return [...new Set(spec.depends_on ?? [])]
    .map((id) => ({ id, state: tasks.get(taskKey({ project, task: id }))?.state ?? null }))
    .filter(({ state }) => state !== 'done');
}

function placeOf(app: AppContext, task: TaskView, queue: QueueKey): QueuePlace {
  let ahead = 0;
  let length = 0;
  let ofOtherProjects = 0;
  for (const other of app.state.projections.blackboard.tasks.values()) {
    if (other.state !== 'pending' || queueOf(other.spec) !== queue) continue;
    if (other.project !== task.project) ofOtherProjects++;
    else length++;
    if (other.project === task.project && goesBefore(other, task)) ahead++;
  }
  return { ahead, length: Math.max(length, 1), ofOtherProjects };
}

function goesBefore(other: TaskView, task: TaskView): boolean {
  if (other.spec.priority !== task.spec.priority) return other.spec.priority > task.spec.priority;
  return other.createdSequence < task.createdSequence;
}

function logTroubleOf(app: AppContext): string | null {
  try {
    app.log.assertWritable();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
