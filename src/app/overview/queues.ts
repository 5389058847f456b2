/** The queues: how many tasks wait in each, which agents take from it, pausing and resuming them. */
import type { PausedQueue, TaskView } from '../../../projections/index.ts';
import type { QueueAnswer } from '../../contracts/api/answers.ts';
import { type QueueParts, queueParts, queueText } from '../../contracts/api/queue-name.ts';
import type { Decision } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { EventOf } from '../../contracts/events/events.ts';
import { queueOf } from '../../engine/supervisor/agent-roster.ts';
import type { QueueKey } from '../../engine/supervisor/ready-tasks.ts';
import { type AppContext, deciderOf, type Needs } from '../context.ts';
import { timeOf } from '../tasks/task-json.ts';

export interface QueueView {
  readonly key: QueueKey;
  pending: number;
  scheduled: number;
  /** Epoch milliseconds at which the oldest pending task was created; null if none is pending. */
  oldestPendingAt: number | null;
}

type QueueSources = Needs<'state.projections' | 'supervision.roster'>;

/** The queues of every agent and type that is configured, has waiting tasks, or is paused; sorted by name. */
export function queuesOf(app: QueueSources): QueueView[] {
  const { projections } = app.state;
  const { roster } = app.supervision;
  const queues = new Map<QueueKey, QueueView>();
  const viewOf = (key: QueueKey): QueueView => {
    const queue = queues.get(key) ?? { key, pending: 0, scheduled: 0, oldestPendingAt: null };
    queues.set(key, queue);
    return queue;
  };
  for (const { id } of roster.all()) for (const key of roster.queuesOf(id)) viewOf(key);
  for (const key of projections.queues.paused.keys()) viewOf(key);
  for (const task of projections.blackboard.tasks.values()) {
    if (task.state === 'pending' || task.state === 'scheduled') count(viewOf(queueOf(task.spec)), task);
  }
  return [...queues.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

function count(queue: QueueView, { state, createdAt }: TaskView): void {
  if (state === 'scheduled') {
    queue.scheduled++;
    return;
  }
  queue.pending++;
  // Tasks come in the order of creation.
  queue.oldestPendingAt ??= createdAt;
}

export function listQueues(app: QueueSources): QueueAnswer[] {
  return queuesOf(app).map((queue) => queueJson(app, queue));
}

function queueJson(
  { state, supervision }: QueueSources,
  { key, pending, scheduled, oldestPendingAt }: QueueView,
): QueueAnswer {
  const paused = state.projections.queues.paused.get(key);
  return {
    ...queueParts(key),
    pending,
    scheduled,
    oldest_pending_at: timeOf(oldestPendingAt),
    agents: [...supervision.roster.takersOf(key)],
    paused: paused === undefined ? null : pauseJson(paused),
  };
}

function pauseJson({ since, by, reason }: PausedQueue): QueueAnswer['paused'] {
  return { since: timeOf(since), by, reason };
}

const EVENTS = { pause: 'queue.paused', resume: 'queue.resumed' } as const;

export type QueueDecision = keyof typeof EVENTS;

/** Queues that an error message lists. */
const MAX_LISTED = 20;

/**
 * Pauses or resumes a queue. No task of a paused queue is dispatched; tasks may be added, and open attempts go on. A
 * pause survives restarts.
 * @returns the queue afterwards. @throws SignalboxError `queue_not_found`, `illegal_transition`, `log_unavailable`
 */
export async function decideQueue(
  app: AppContext,
  { kind, name }: QueueParts,
  decision: QueueDecision,
  request: Decision,
  actor: string,
): Promise<QueueAnswer> {
  const key: QueueKey = `${kind}:${name}`;
  assertThere(app, key);
  const type = EVENTS[decision];
  if (type === 'queue.resumed') assertWasPaused(app, key);
  const event: EventOf<typeof type> = { type, queue: key, reason: request.comment };
  app.log.assertWritable();
  await app.log.commit(event, { actor: deciderOf(request, actor) });
  // The queue of a type without tasks is no longer listed once it is resumed.
  const queue = queuesOf(app).find((each) => each.key === key);
  return queueJson(app, queue ?? { key, pending: 0, scheduled: 0, oldestPendingAt: null });
}

function assertThere(app: AppContext, key: QueueKey): void {
  const keys = queuesOf(app).map((queue) => queue.key);
  if (keys.includes(key)) return;
  const known = keys.map(queueText);
  const more = known.length > MAX_LISTED ? ` and ${known.length - MAX_LISTED} more` : '';
  throw new SignalboxError(
    'queue_not_found',
    `there is no queue of ${queueText(key)}: no agent has it, and no task waits in it. There are: ${known.slice(0, MAX_LISTED).join(', ') || 'none'}${more}`,
    { details: { queue: key } },
  );
}

/** A queue that was never paused has no machine that could refuse. */
function assertWasPaused({ state }: Needs<'state.host'>, key: QueueKey): void {
  if (state.host.get('queue', key)) return;
  throw new SignalboxError(
    'illegal_transition',
    `queue ${key} is open: queue.resumed is not possible, only queue.paused`,
    { details: { entity: 'queue', id: key, state: 'open', event: 'queue.resumed', legal: ['queue.paused'] } },
  );
}
