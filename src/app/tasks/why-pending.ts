/** Why a pending task is not assigned: no agent can take it, all are unavailable, a limit is reached, or others go first. */
import type { BudgetView, PausedQueue } from '../../../projections/index.ts';
import { queueText } from '../../contracts/api/queue-name.ts';
import type { WaitAnswer, WaitKind } from '../../contracts/api/why.ts';
import { holdText } from '../budgets/budgets.ts';
import { because, type Situation, type Taker } from './situation.ts';
import { timeOf } from './task-json.ts';

export function pendingWaits(situation: Situation): WaitAnswer[] {
  const { task, takers, hasSession, limits, queue, budget, isDraining } = situation;
  const waits = pausedWaits(situation);
  const add = (kind: WaitKind, detail: string): unknown => waits.push({ kind, detail });
  if (isDraining) {
    const detail = 'Signalbox is shutting down and starts no more attempts: the next start continues';
    waits.unshift({ kind: 'draining', detail });
  }
  if (takers.length === 0) {
    const { agent, type = '' } = task.spec;
    if (agent === undefined) add('no_agent', `no agent in the configuration has the capability ${type}`);
    else add('no_agent', `agent ${agent} is not in the configuration`);
  }
  if (budget !== null) waits.push(budgetWait(budget));
  const unavailable = takers.flatMap((taker) => unavailability(taker, hasSession) ?? []);
  if (unavailable.length === takers.length) waits.push(...unavailable);
  if (limits.open >= limits.concurrency) {
    add('global_limit', `${limits.open} attempts are open, which is the limit (limits.concurrency)`);
  }
  if (limits.openInProject >= limits.projectConcurrency) {
    const open = `${limits.openInProject} attempts of project ${task.project} are open`;
    add('project_limit', `${open}, which is the limit (limits.per_project_concurrency)`);
  }
  if (queue.ahead > 0) {
    add('queue', `${queue.ahead} ${queue.ahead === 1 ? 'task goes' : 'tasks go'} first, by priority and age`);
  } else if (waits.length === 0) {
    add('queue', 'it is next in its project, and an agent is free');
  }
  return waits;
}

/** For the end of the period of a budget, or for its raise. */
function budgetWait(budget: BudgetView): WaitAnswer {
  const until = timeOf(budget.reached?.until ?? null) ?? undefined;
  return { kind: 'budget', detail: holdText(budget), until };
}

/** Why this agent does not take the task; null if it could. */
function unavailability({ id, agent, budget }: Taker, hasSession: boolean): WaitAnswer | null {
  if (budget !== null) return { ...budgetWait(budget), agent: id };
  const is = (kind: WaitKind, detail: string, until?: string): WaitAnswer => ({
    kind,
    detail: `agent ${id}${hasSession ? ', which has its session,' : ''} ${detail}`,
    agent: id,
    until,
  });
  const why = because(agent?.reason ?? null);
  switch (agent?.state) {
    case 'idle':
    case 'busy':
      if (agent.running < agent.concurrency) return null;
      return is('agent_busy', `is busy with ${agent.running} of ${agent.concurrency} attempts`);
    case 'paused':
    case 'draining':
      return is('agent_paused', `is ${agent.state}${why}`);
    case 'parked':
      return is('agent_parked', `is parked${why}`, timeOf(agent.parkedUntil) ?? undefined);
    case 'probing':
      if (agent.running === 0) return null;
      return is('agent_parked', `was parked${why} and is being tried with one attempt`);
    default:
      return is('agent_offline', `is offline${why}`);
  }
}

export function afterPending({ task, takers, queue, pausedQueue, budget }: Situation): string {
  if (takers.length === 0) {
    const { agent, type = '' } = task.spec;
    const missing = agent === undefined ? `an agent with the capability ${type}` : `agent ${agent}`;
    return `nothing, until ${missing} is in the configuration`;
  }
  if (pausedQueue !== null) return `nothing, until ${resumeText(pausedQueue)}`;
  const held = budget ?? (takers.every((taker) => taker.budget !== null) ? takers[0]?.budget : null);
  if (held)
    return `it is assigned when the period of budget ${held.id} ends, or a user raises it: "signalbox budget raise ${held.id}"`;
  const names = takers.map(({ id }) => id).join(' or ');
  const states = new Set(takers.map(({ agent }) => agent?.state));
  if ([...states].every((state) => state === 'paused' || state === 'draining')) {
    return `nothing, until agent ${names} is resumed: "signalbox agent resume ${takers[0]?.id ?? ''}"`;
  }
  if (states.size === 1 && states.has('offline'))
    return `agent ${names} takes it when a worker of it is connected`;
  const turns = queue.ofOtherProjects > 0 ? '; projects take turns' : '';
  return `agent ${names} takes it when it has a free slot and the task is next${turns}`;
}

export function pausedWaits({ pausedQueue }: Situation): WaitAnswer[] {
  if (pausedQueue === null) return [];
  const { queue, since, by, reason } = pausedQueue;
  const paused = `is paused by ${by} since ${timeOf(since)}${because(reason)}`;
  return [{ kind: 'queue_paused', detail: `the queue of ${queueText(queue)} ${paused}` }];
}

/** What has to happen before tasks of the queue are assigned. */
export function resumeText({ queue }: PausedQueue): string {
  return `the queue is resumed: "signalbox queue resume ${queueText(queue)}"`;
}
