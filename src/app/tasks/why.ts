/**
 * Why a task is not running, or not done: what it waits for, and what happens next.
 *
 * The explanation follows from the situation alone: no clock, no input or output. A task that is not settled waits for at
 * least one thing; a settled one at most for its own process.
 */
import type { AgentView, AttemptView, PausedQueue, TaskView } from '../../../projections/index.ts';
import type { WaitKind } from '../../contracts/api/why.ts';
import { unreachable } from '../../contracts/errors.ts';
import { afterPending, pausedWaits, pendingWaits, resumeText } from './why-pending.ts';
import { explainReviewByAgent } from './why-review.ts';

export interface Wait {
  readonly kind: WaitKind;
  /** A clause that continues "task x is pending:". */
  readonly detail: string;
  /** Epoch milliseconds. */
  readonly until?: number | undefined;
  readonly agent?: string;
  readonly attempt?: number;
  readonly tasks?: readonly string[];
}

export interface Situation {
  readonly task: TaskView;
  /** Its open attempt. */
  readonly attempt: AttemptView | null;
  /** Dependencies that are not done; `state` is null for a task that no longer exists. */
  readonly dependencies: readonly { readonly id: string; readonly state: string | null }[];
  /** The children that it joins and that are not settled. */
  readonly awaitedChildren: readonly TaskView[];
  /** Its review by an agent; null if no agent reviews it. */
  readonly review: ReviewSituation | null;
  /** Whether it joins children of which some failed. */
  readonly hasFailedChildren: boolean;
  /** The configured agents that may take it. */
  readonly takers: readonly Taker[];
  readonly queue: QueuePlace;
  /** The pause of its queue; null if it is open. */
  readonly pausedQueue: PausedQueue | null;
  readonly limits: Limits;
  /** Why the event log cannot be written; null if it can. */
  readonly logTrouble: string | null;
  readonly isDraining: boolean;
}

export interface ReviewSituation {
  readonly reviewer: string;
  readonly isConfigured: boolean;
  /** Whether the reviewer did the work itself. */
  readonly isOwnWork: boolean;
  /** The review task; null if there is none. */
  readonly task: {
    readonly id: string;
    readonly state: TaskView['state'];
    readonly reason: string | null;
  } | null;
}

export interface Taker {
  readonly id: string;
  readonly agent: AgentView | null;
}

export interface QueuePlace {
  /** Pending tasks of the same project and queue that go first. */
  readonly ahead: number;
  /** All of them, this one included. */
  readonly length: number;
  /** Pending tasks of other projects in the same queue. */
  readonly ofOtherProjects: number;
}

/** Open attempts, and their limits. */
export interface Limits {
  readonly open: number;
  readonly concurrency: number;
  readonly openInProject: number;
  readonly projectConcurrency: number;
}

export interface Explanation {
  readonly summary: string;
  readonly waitsFor: readonly Wait[];
  readonly next: string;
}

export function explain(situation: Situation): Explanation {
  const { task, logTrouble } = situation;
  const { waits, next } = explainState(situation);
  if (logTrouble !== null && !isSettled(task)) waits.push({ kind: 'log', detail: logTrouble });
  // The next event was decided and is not stored yet.
  if (waits.length === 0 && !isSettled(task)) {
    waits.push({ kind: 'log', detail: 'the next event is being stored' });
  }
  const details = waits.map(({ detail }) => detail);
  const because = details.length === 0 ? '' : `: ${details.join('; ')}`;
  const state = task.state === 'review' ? 'in review' : task.state;
  return { summary: `task ${task.id} is ${state}${because}`, waitsFor: waits, next };
}

interface Reasons {
  readonly waits: Wait[];
  readonly next: string;
}

function isSettled({ state }: TaskView): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled' || state === 'expired';
}

function explainState(situation: Situation): Reasons {
  const { task } = situation;
  switch (task.state) {
    case 'scheduled':
      return explainScheduled(situation);
    case 'pending':
      return {
        waits: [...endingWaits(situation), ...pendingWaits(situation)],
        next: `${afterPending(situation)}${expiryOf(task)}`,
      };
    case 'claimed':
    case 'working':
      return explainRunning(situation);
    case 'review':
      return explainReview(situation);
    case 'blocked':
      return explainBlocked(situation);
    case 'done':
    case 'cancelled':
      return { waits: endingWaits(situation), next: 'nothing: this is final' };
    case 'failed':
    case 'expired':
      return {
        waits: endingWaits(situation),
        next: `nothing, until it is redriven: "signalbox task retry ${task.id}"`,
      };
    default:
      return unreachable(task.state, 'explain');
  }
}

function explainScheduled(situation: Situation): Reasons {
  const { task, dependencies, pausedQueue } = situation;
  const waits = endingWaits(situation);
  if (task.dueAt !== null) waits.push(timeWait(task, task.dueAt));
  if (task.attempts === 0) waits.push(...dependencyWaits(dependencies));
  const conditions = [
    ...(task.dueAt === null ? [] : [`at ${timeText(task.dueAt)}`]),
    ...(waits.some(({ kind }) => kind === 'dependency') ? ['when its dependencies are done'] : []),
  ];
  waits.push(...pausedWaits(situation));
  const turn =
    pausedQueue === null
      ? 'it becomes pending, and the next free agent takes it'
      : `it becomes pending, and waits until ${resumeText(pausedQueue)}`;
  return { waits, next: `${[conditions.join(' and '), turn].join(' ').trim()}${expiryOf(task)}` };
}

function timeWait({ attempts, spec, reason }: TaskView, until: number): Wait {
  if (attempts === 0) return { kind: 'time', detail: `it may not start before ${timeText(until)}`, until };
  const why = reason === null ? '' : ` (${reason})`;
  const detail = `attempt ${attempts + 1} of ${Math.max(spec.max_attempts, attempts + 1)} starts at ${timeText(until)}, after a backoff${why}`;
  return { kind: 'retry', detail, until };
}

function dependencyWaits(dependencies: Situation['dependencies']): Wait[] {
  return dependencies.map(({ id, state }) => ({
    kind: 'dependency',
    detail:
      state === null
        ? `it depends on task ${id}, which no longer exists`
        : `it depends on task ${id}, which is ${state}`,
    tasks: [id],
  }));
}

function explainRunning({ task, attempt, takers }: Situation): Reasons {
  if (!attempt) return { waits: [], next: 'the attempt is recorded' };
  const { state, agent, deadline, stopReason } = attempt;
  const number = `attempt ${attempt.attempt} of ${Math.max(task.spec.max_attempts, attempt.attempt)}`;
  const wait = (detail: string, until: number | null = null): Wait[] => [
    { kind: 'running', detail, agent, attempt: attempt.attempt, until: until ?? undefined },
  ];
  const retry = 'then it is tried again, or fails if no attempt is left';
  const own = takers.find(({ id }) => id === agent)?.agent;
  if (state === 'requested' && own?.state === 'offline') {
    const why = own.reason === null ? '' : ` (${own.reason})`;
    return {
      waits: [
        {
          kind: 'agent_offline',
          detail: `it waits in the queue of agent ${agent}, which is offline${why}`,
          agent,
        },
      ],
      next: `a worker of agent ${agent} takes it, or it times out; ${retry}`,
    };
  }
  if (state === 'requested') {
    return {
      waits: wait(`agent ${agent} is being started on it (${number})`),
      next: 'the agent works on it',
    };
  }
  if (state === 'stopping') {
    return {
      waits: wait(`${number} by agent ${agent} is being stopped (${stopReason ?? 'no reason recorded'})`),
      next: `the process of the attempt ends, or is killed; ${retry}`,
    };
  }
  const silence = state === 'suspected' ? ', but has been silent for a while' : '';
  return {
    waits: wait(`agent ${agent} works on it (${number})${silence}`, deadline),
    next: `the agent submits its result${deadline === null ? '' : `, or is stopped at ${timeText(deadline)}; ${retry}`}`,
  };
}

function explainReview(situation: Situation): Reasons {
  const { task, awaitedChildren, hasFailedChildren } = situation;
  const waits = endingWaits(situation);
  if (awaitedChildren.length > 0) {
    const tasks = awaitedChildren.map(({ id }) => id);
    const detail = `it joins ${tasks.length === 1 ? 'task' : 'tasks'} ${listText(tasks)}, not settled yet`;
    waits.push({ kind: 'children', detail, tasks });
  }
  const byHand = `"signalbox task approve ${task.id}", or "signalbox task reject ${task.id} --comment TEXT"`;
  if (situation.review !== null) {
    const { wait, next } = explainReviewByAgent(situation.review, byHand);
    if (wait !== null && awaitedChildren.length === 0) waits.push(wait);
    const turn = awaitedChildren.length > 0 ? 'when those are settled, ' : '';
    return { waits, next: `${turn}${next}` };
  }
  if (task.spec.review !== 'auto') {
    waits.push({ kind: 'review', detail: 'a user has to review the result' });
    const turn = awaitedChildren.length > 0 ? 'when those are settled, ' : '';
    return { waits, next: `${turn}a user approves or rejects it: ${byHand}` };
  }
  if (hasFailedChildren && awaitedChildren.length === 0) {
    waits.push({
      kind: 'review',
      detail: 'it joins tasks of which some are not done: a user has to review it',
    });
    return { waits, next: `a user approves or rejects it: ${byHand}` };
  }
  const turn = awaitedChildren.length > 0 ? 'when those are done, ' : '';
  return { waits, next: `${turn}it is approved automatically, and done` };
}

function explainBlocked(situation: Situation): Reasons {
  const { task, dependencies } = situation;
  const waits = endingWaits(situation);
  if (task.attempts === 0) waits.push(...dependencyWaits(dependencies));
  waits.push({ kind: 'person', detail: task.reason ?? 'a user has to unblock it' });
  const done = waits.some(({ kind }) => kind === 'dependency') ? 'its dependencies are done, or ' : '';
  return { waits, next: `${done}a user unblocks it: "signalbox task unblock ${task.id}"` };
}

/** The process of an attempt that the task no longer waits for has yet to end. */
function endingWaits({ attempt }: Situation): Wait[] {
  if (!attempt) return [];
  const { agent, attempt: number } = attempt;
  return [
    { kind: 'running', detail: `the process of attempt ${number} has yet to end`, agent, attempt: number },
  ];
}

function expiryOf({ attempts, spec }: TaskView): string {
  if (attempts > 0 || spec.expires_at_ms === undefined) return '';
  return `; it expires at ${timeText(spec.expires_at_ms)} if no agent has taken it by then`;
}

const MAX_NAMED = 5;

function listText(ids: readonly string[]): string {
  const named = ids.slice(0, MAX_NAMED).join(', ');
  return ids.length <= MAX_NAMED ? named : `${named} and ${ids.length - MAX_NAMED} more`;
}

function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
