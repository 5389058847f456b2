/** Why a pending task is not assigned: no agent can take it, all are unavailable, a limit is reached, or others go first. */
import type { PausedQueue } from '../../../projections/index.ts';
import { queueText } from '../../contracts/api/queue-name.ts';
import type { Situation, Taker, Wait } from './why.ts';

export function pendingWaits(situation: Situation): Wait[] {
  const { takers, limits, queue, isDraining } = situation;
  const waits: Wait[] = [];
  if (isDraining) {
    const detail = 'Signalbox is shutting down and starts no more attempts: the next start continues';
    waits.push({ kind: 'draining', detail });
  }
  waits.push(...pausedWaits(situation));
  if (takers.length === 0) waits.push({ kind: 'no_agent', detail: noAgent(situation) });
  const holds = takers.flatMap((taker) => holdOf(taker) ?? []);
  if (holds.length === takers.length) waits.push(...holds);
  if (limits.open >= limits.concurrency) {
    const detail = `${limits.open} attempts are open, which is the limit (limits.concurrency)`;
    waits.push({ kind: 'global_limit', detail });
  }
  if (limits.openInProject >= limits.projectConcurrency) {
    const detail = `${limits.openInProject} attempts of project ${situation.task.project} are open, which is the limit (limits.per_project_concurrency)`;
    waits.push({ kind: 'project_limit', detail });
  }
  if (queue.ahead > 0) {
    const detail = `${queue.ahead} ${queue.ahead === 1 ? 'task goes' : 'tasks go'} first, by priority and age`;
    waits.push({ kind: 'queue', detail });
  } else if (waits.length === 0) {
    waits.push({ kind: 'queue', detail: 'it is next in its project, and an agent is free' });
  }
  return waits;
}

export function afterPending(situation: Situation): string {
  const { task, takers, queue, pausedQueue } = situation;
  if (takers.length === 0) {
    const { agent, type } = task.spec;
    const missing = agent === undefined ? `an agent with the capability ${type ?? ''}` : `agent ${agent}`;
    return `nothing, until ${missing} is in the configuration`;
  }
  if (pausedQueue !== null) return `nothing, until ${resumeText(pausedQueue)}`;
  const names = takers.map(({ id }) => id).join(' or ');
  if (takers.every(({ agent }) => agent?.state === 'paused' || agent?.state === 'draining')) {
    return `nothing, until agent ${names} is resumed: "signalbox agent resume ${takers[0]?.id ?? ''}"`;
  }
  if (takers.every(({ agent }) => agent?.state === 'offline')) {
    return `agent ${names} takes it when a worker of it is connected`;
  }
  const turns = queue.ofOtherProjects > 0 ? '; projects take turns' : '';
  return `agent ${names} takes it when it has a free slot and the task is next${turns}`;
}

/** The pause of its queue, if it is paused. */
export function pausedWaits({ pausedQueue }: Pick<Situation, 'pausedQueue'>): Wait[] {
  if (pausedQueue === null) return [];
  const { queue, since, by, reason } = pausedQueue;
  const why = reason === null ? '' : ` (${reason})`;
  const detail = `the queue of ${queueText(queue)} is paused by ${by} since ${new Date(since).toISOString()}${why}`;
  return [{ kind: 'queue_paused', detail }];
}

/** What has to happen before tasks of the queue are assigned. */
export function resumeText({ queue }: PausedQueue): string {
  return `the queue is resumed: "signalbox queue resume ${queueText(queue)}"`;
}

/** Why this agent does not take the task; null if it could. */
function holdOf({ id, agent }: Taker): Wait | null {
  const held = (kind: Wait['kind'], detail: string, until: number | null = null): Wait => ({
    kind,
    detail: `agent ${id} ${detail}`,
    agent: id,
    until: until ?? undefined,
  });
  const why = agent?.reason == null ? '' : ` (${agent.reason})`;
  switch (agent?.state) {
    case 'idle':
    case 'busy':
      if (agent.running < agent.concurrency) return null;
      return held('agent_busy', `is busy with ${agent.running} of ${agent.concurrency} attempts`);
    case 'paused':
      return held('agent_paused', `is paused${why}`);
    case 'draining':
      return held('agent_paused', `is draining${why}`);
    case 'parked':
      return held('agent_parked', `is parked${why}`, agent.parkedUntil);
    case 'probing':
      if (agent.running === 0) return null;
      return held('agent_parked', `was parked${why} and is being tried with one attempt`);
    default:
      return held('agent_offline', `is offline${why}`);
  }
}

function noAgent({ task }: Situation): string {
  const { agent, type } = task.spec;
  if (agent !== undefined) return `agent ${agent} is not in the configuration`;
  return `no agent in the configuration has the capability ${type ?? ''}`;
}
