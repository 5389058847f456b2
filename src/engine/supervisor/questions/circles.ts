/**
 * Agents that wait for each other: a task that answers a question needs a free slot, and what holds the slots may wait for
 * answers itself, in the end for the one that the task would give. Then no agent goes on unless a person answers.
 */
import { type Projections, questionOf, type TaskView } from '../../../../projections/index.ts';
import { attemptKey, parseAttemptKey, type TaskRef, taskKey } from '../../../contracts/ids.ts';
import { SETTLED_STATES } from '../../../contracts/tasks.ts';
import type { ActorHost } from '../../runtime/actor-host.ts';
import type { AgentRoster } from '../agent-roster.ts';

export interface CircleParts {
  readonly host: ActorHost;
  readonly projections: Projections;
  readonly roster: AgentRoster;
  /** Attempts that may be open at the same time: of all agents together, and of each project. */
  readonly concurrency: number;
  readonly projectConcurrency: number;
  /** The task in which an agent answers a question; undefined if none does. */
  readonly answering: (question: TaskRef & { readonly question: string }) => TaskView | undefined;
}

interface OpenAttempt {
  readonly key: string;
  readonly agent: string;
  readonly project: string;
}

/** Whether no slot for this task becomes free without a person: it waits, and what holds the slots waits for answers. */
export function isInCircle(parts: CircleParts, task: TaskView): boolean {
  const { host } = parts;
  const { state, context } = host.get('task', taskKey({ project: task.project, task: task.id })) ?? {};
  if (state !== 'pending' || context?.openAttempt !== null) return false;
  const open = openAttempts(parts);
  const waiting = open.filter(({ key, agent }) => isHeld(parts, key, agent));
  // Each counts as one that goes on as soon as all that it waits for can be answered without it.
  const stuck = new Set(waiting.map(({ key }) => key));
  for (let before = -1; before !== stuck.size; ) {
    before = stuck.size;
    for (const { key } of waiting) if (stuck.has(key) && goesOn(parts, key, open, stuck)) stuck.delete(key);
  }
  return !hasRoom(parts, task, open, stuck);
}

function openAttempts({ host }: CircleParts): OpenAttempt[] {
  return [...host.ids('attempt')].map((key) => ({
    key,
    agent: host.get('attempt', key)?.context.agent ?? '',
    project: parseAttemptKey(key).project,
  }));
}

/** Whether it waits for an answer, and its process is not ended meanwhile. */
function isHeld({ host, roster }: CircleParts, key: string, agent: string): boolean {
  const parks = roster.get(agent)?.questions?.parkAfterMs !== undefined;
  return host.get('attempt', key)?.state === 'waiting' && !parks;
}

/** Whether each of its questions can be answered. */
function goesOn(
  parts: CircleParts,
  key: string,
  open: readonly OpenAttempt[],
  stuck: ReadonlySet<string>,
): boolean {
  const { project, task } = parseAttemptKey(key);
  const questions = parts.host.get('attempt', key)?.context.questions ?? [];
  return questions.every((question) => {
    const view = questionOf(parts.projections.questions, { project, task }, question);
    const answering = parts.answering({ project, task, question });
    // People answer it, or a rule is about to.
    if (!view || !answering || SETTLED_STATES.has(answering.state) || answering.state === 'blocked')
      return true;
    const { state, context } = parts.host.get('task', taskKey({ project, task: answering.id })) ?? {};
    if (context?.openAttempt != null)
      return !stuck.has(attemptKey({ project, task: answering.id, attempt: context.openAttempt }));
    return state !== 'pending' || hasRoom(parts, answering, open, stuck);
  });
}

/** Whether a slot for the task is free, or is held by an attempt that goes on: of its agent, its project, and of all. */
function hasRoom(
  { host, concurrency, projectConcurrency }: CircleParts,
  { project, spec: { agent = '' } }: TaskView,
  open: readonly OpenAttempt[],
  stuck: ReadonlySet<string>,
): boolean {
  const isRoomIn = (holders: readonly OpenAttempt[], slots: number): boolean =>
    holders.length < slots || holders.some(({ key }) => !stuck.has(key));
  const slots = host.get('agent', agent)?.context.concurrency ?? Number.POSITIVE_INFINITY;
  return (
    isRoomIn(
      open.filter((each) => each.agent === agent),
      slots,
    ) &&
    isRoomIn(
      open.filter((each) => each.project === project),
      projectConcurrency,
    ) &&
    isRoomIn(open, concurrency)
  );
}
