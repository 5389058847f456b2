/**
 * Why a task is not running, or not done: what it waits for, and what happens next.
 *
 * The explanation follows from the situation alone. A task that is not settled waits for at least one thing; a settled
 * one at most for its own process.
 */
import type { TaskView } from '../../../projections/index.ts';
import { reviewCommands, taskCommand } from '../../contracts/api/next-command.ts';
import type { WaitAnswer, WhyAnswer } from '../../contracts/api/why.ts';
import { unreachable } from '../../contracts/errors.ts';
import type { TaskRef } from '../../contracts/ids.ts';
import { DEAD_STATES, SETTLED_STATES } from '../../contracts/tasks.ts';
import { refOf } from '../../engine/runtime/views.ts';
import { type AppContext, findTask } from '../context.ts';
import { because, type ReviewSituation, type Situation, situationOf } from './situation.ts';
import { timeOf } from './task-json.ts';
import { afterPending, pausedWaits, pendingWaits, resumeText } from './why-pending.ts';
import { explainQuestions, explainUnattended, type Reasons } from './why-questions.ts';

/** @throws SignalboxError `task_not_found` */
export async function explainTask(app: AppContext, ref: TaskRef): Promise<WhyAnswer> {
  const situation = situationOf(app, await findTask(app, ref));
  const { task, queue } = situation;
  const place = { position: queue.ahead + 1, length: queue.length, of_other_projects: queue.ofOtherProjects };
  return {
    project: task.project,
    id: task.id,
    status: task.state,
    ...explain(situation),
    queue: task.state === 'pending' ? place : null,
  };
}

/** The details of what it waits for are clauses that continue "task x is pending:". */
export function explain(situation: Situation): Pick<WhyAnswer, 'summary' | 'reason' | 'waits_for' | 'next'> {
  const { task, attempt, logTrouble } = situation;
  const { waits, next } = explainState(situation);
  // The process of an attempt that the task no longer waits for has yet to end.
  if (attempt && task.state !== 'claimed' && task.state !== 'working') {
    const { agent, attempt: number } = attempt;
    waits.unshift({
      kind: 'running',
      detail: `the process of attempt ${number} has yet to end`,
      agent,
      attempt: number,
    });
  }
  if (!SETTLED_STATES.has(task.state)) {
    if (logTrouble !== null) waits.push({ kind: 'log', detail: logTrouble });
    // The next event was decided and is not stored yet.
    if (waits.length === 0) waits.push({ kind: 'log', detail: 'the next event is being stored' });
  }
  const details = waits.map(({ detail }) => detail).join('; ') || (task.reason ?? '');
  const state = task.state === 'review' ? 'in review' : task.state;
  const summary = `task ${task.id} is ${state}${details && `: ${details}`}`;
  return { summary, reason: task.reason, waits_for: waits, next };
}

function explainState(situation: Situation): Reasons {
  const { task } = situation;
  switch (task.state) {
    case 'scheduled':
      return explainScheduled(situation);
    case 'pending':
      return { waits: pendingWaits(situation), next: `${afterPending(situation)}${expiryOf(task)}` };
    case 'claimed':
    case 'working':
      return explainRunning(situation);
    case 'review':
      return explainReview(situation);
    case 'blocked':
      return explainBlocked(situation);
    case 'done':
    case 'cancelled':
      return { waits: [], next: 'nothing: this is final' };
    case 'failed':
    case 'expired':
      return { waits: [], next: `nothing, unless it is retried: ${taskCommand('retry', refOf(task))}` };
    default:
      return unreachable(task.state, 'explain');
  }
}

function explainScheduled(situation: Situation): Reasons {
  const { task, pausedQueue } = situation;
  const dependencies = dependencyWaits(situation);
  const times = task.dueAt === null ? [] : [timeWait(task, task.dueAt)];
  const conditions = [
    ...times.map(({ until }) => `at ${until}`),
    ...(dependencies.length > 0 ? ['when its dependencies are done'] : []),
  ].join(' and ');
  const turn =
    pausedQueue === null ? 'the next free agent takes it' : `waits until ${resumeText(pausedQueue)}`;
  return {
    waits: [...times, ...dependencies, ...pausedWaits(situation)],
    next: `${conditions && `${conditions} `}it becomes pending, and ${turn}${expiryOf(task)}`,
  };
}

function timeWait(task: TaskView, dueAt: number): WaitAnswer {
  const { attempts, reason } = task;
  const until = timeOf(dueAt);
  if (attempts === 0) return { kind: 'time', detail: `it may not start before ${until}`, until };
  const number = numberText(attempts + 1, task);
  return { kind: 'retry', detail: `${number} starts at ${until}, after a backoff${because(reason)}`, until };
}

/** None after the first attempt, which no longer depends on them. */
function dependencyWaits({ task, dependencies }: Situation): WaitAnswer[] {
  if (task.attempts > 0) return [];
  return dependencies.map(({ id, state }) => {
    const which = state === null ? 'no longer exists' : `is ${state}`;
    return { kind: 'dependency', detail: `it depends on task ${id}, which ${which}`, tasks: [id] };
  });
}

function explainRunning({ task, attempt, takers, questions, silentUntil }: Situation): Reasons {
  if (questions.length > 0) {
    const asked = explainQuestions(questions, 'the agent goes on');
    const isRunning = attempt?.state === 'running' || attempt?.state === 'suspected';
    return isRunning ? explainUnattended(asked, attempt) : asked;
  }
  if (!attempt) return { waits: [], next: 'the attempt is recorded' };
  const { state, agent, stopReason } = attempt;
  const deadline = timeOf(attempt.deadline);
  const number = numberText(attempt.attempt, task);
  const running = (detail: string, until?: string): WaitAnswer[] => [
    { kind: 'running', detail, agent, attempt: attempt.attempt, until },
  ];
  const retry = 'then it is tried again, or fails if no attempt is left';
  const own = takers.find(({ id }) => id === agent)?.agent;
  if (state === 'requested' && own?.state === 'offline') {
    const detail = `it waits in the queue of agent ${agent}, which is offline${because(own.reason)}`;
    return {
      waits: [{ kind: 'agent_offline', detail, agent }],
      next: `a worker of agent ${agent} takes it, or it times out; ${retry}`,
    };
  }
  if (state === 'requested') {
    return {
      waits: running(`agent ${agent} is being started on it (${number})`),
      next: 'the agent works on it',
    };
  }
  if (state === 'stopping') {
    return {
      waits: running(
        `${number} by agent ${agent} is being stopped${because(stopReason ?? 'no reason recorded')}`,
      ),
      next: `the process of the attempt ends, or is killed; ${retry}`,
    };
  }
  const silence = state === 'suspected' ? ', but has been silent for a while' : '';
  const isSilenceFirst = silentUntil !== null && silentUntil < (attempt.deadline ?? Number.POSITIVE_INFINITY);
  const ends = [
    ...(isSilenceFirst ? [`at ${timeOf(silentUntil)} if it shows no sign of life until then`] : []),
    ...(deadline === null ? [] : [`at ${deadline}`]),
  ].join(', or ');
  // A silent one is most likely to be stopped for it.
  const until = state === 'suspected' && isSilenceFirst ? timeOf(silentUntil) : deadline;
  return {
    waits: running(`agent ${agent} works on it (${number})${silence}`, until ?? undefined),
    next: `the agent submits its result${ends && `, or is stopped ${ends}; ${retry}`}`,
  };
}

function explainReview({ task, review, awaitedChildren, failedChildren }: Situation): Reasons {
  const byHand = reviewCommands(refOf(task));
  const byUser = `a user approves or rejects it: ${byHand}`;
  const children = childrenWaits(awaitedChildren);
  const settled = children.length > 0 ? 'when those are settled, ' : '';
  if (review !== null) {
    const { waits, next } = explainReviewByAgent(task.project, review, byHand);
    return { waits: children.length > 0 ? children : waits, next: `${settled}${next}` };
  }
  if (task.spec.review !== 'auto') {
    const detail = 'a user has to review the result';
    return { waits: [...children, { kind: 'review', detail }], next: `${settled}${byUser}` };
  }
  const approved = 'it is approved automatically, and done';
  if (children.length > 0) return { waits: children, next: `when those are done, ${approved}` };
  if (failedChildren.length === 0) return { waits: [], next: approved };
  const failed = failedChildren.map(({ id, state, reason }) => `task ${id} is ${state}${because(reason)}`);
  const tasks = failedChildren.map(({ id }) => id);
  const detail = `it joins tasks that are not done: a user has to review it: ${listText(failed)}`;
  const retries = retryText(task.project, failedChildren, 'is retried and done');
  return { waits: [{ kind: 'review', detail, tasks }], next: `${byUser}${retries && `, or ${retries}`}` };
}

const MAX_NAMED = 5;

function childrenWaits(awaited: readonly TaskView[]): WaitAnswer[] {
  if (awaited.length === 0) return [];
  const tasks = awaited.map(({ id }) => id);
  const named = `${tasks.length === 1 ? 'task' : 'tasks'} ${listText(tasks)}`;
  return [{ kind: 'children', detail: `it joins ${named}, not settled yet`, tasks }];
}

function listText(items: readonly string[]): string {
  const more = items.length > MAX_NAMED ? ` and ${items.length - MAX_NAMED} more` : '';
  return `${items.slice(0, MAX_NAMED).join(', ')}${more}`;
}

/** How the dead ones of these tasks are retried; empty if none can be. @param how what has to happen to each */
function retryText(
  project: string,
  tasks: readonly { readonly id: string; readonly state: string | null }[],
  how: string,
): string {
  const dead = tasks.filter(({ state }) => DEAD_STATES.some((each) => each === state));
  return listText(dead.map(({ id }) => `task ${id} ${how}: ${taskCommand('retry', { project, task: id })}`));
}

/** @param byHand the commands with which a user decides */
function explainReviewByAgent(
  project: string,
  { reviewer, isConfigured, isOwnWork, task }: ReviewSituation,
  byHand: string,
): Reasons {
  const byUser = `a user approves or rejects it: ${byHand}`;
  const needsUser = (why: string): WaitAnswer => ({
    kind: 'review',
    detail: `${why}: a user has to review the result`,
  });
  if (task === null) {
    if (isOwnWork)
      return { waits: [needsUser(`agent ${reviewer} did the work and cannot review it`)], next: byUser };
    if (isConfigured) return { waits: [], next: `agent ${reviewer} reviews it` };
    return {
      waits: [needsUser(`the reviewing agent ${reviewer} is not in the configuration`)],
      next: byUser,
    };
  }
  const { id, state, reason } = task;
  if (state === 'blocked' || (SETTLED_STATES.has(state) && state !== 'done')) {
    const command = taskCommand('retry', { project, task: id });
    const retry = state === 'failed' ? `, or the review is retried: ${command}` : '';
    const why = `agent ${reviewer} gave no verdict: its review, task ${id}, is ${state}${because(reason)}`;
    return { waits: [{ ...needsUser(why), tasks: [id] }], next: `${byUser}${retry}` };
  }
  const detail = `agent ${reviewer} reviews it: task ${id} is ${state}`;
  return {
    waits: [{ kind: 'review', detail, agent: reviewer, tasks: [id] }],
    next: `agent ${reviewer} approves or rejects it, unless a user does first: ${byHand}`,
  };
}

function explainBlocked(situation: Situation): Reasons {
  const { task, blockedBy, questions } = situation;
  if (questions.length > 0) return explainQuestions(questions, 'it goes first in its queue');
  const dependencies = dependencyWaits(situation);
  const unblock = `a user unblocks it: ${taskCommand('unblock', refOf(task))}`;
  if (blockedBy === null || dependencies.length === 0) {
    const detail = task.reason ?? 'a user has to unblock it';
    return { waits: [...dependencies, { kind: 'person', detail }], next: unblock };
  }
  // The reason of the block says the same as the dependency.
  const retries = retryText(task.project, situation.dependencies, 'is retried and done');
  return { waits: dependencies, next: `${retries || 'its dependencies are done'}, or ${unblock}` };
}

function expiryOf({ attempts, spec }: TaskView): string {
  if (attempts > 0 || spec.expires_at_ms === undefined) return '';
  return `; it expires at ${timeOf(spec.expires_at_ms)} if no agent has taken it by then`;
}

/** As in `attempt 2 of 3`. A redrive grants more attempts than the maximum of the task, and so does one that did not count. */
function numberText(attempt: number, { attempts, attemptsUsed, spec }: TaskView): string {
  return `attempt ${attempt} of ${Math.max(spec.max_attempts + attempts - attemptsUsed, attempt)}`;
}
