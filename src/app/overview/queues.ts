/** The queues: how many tasks wait in each, and which agents take from it. */
import type { PausedQueue, TaskView } from '../../../projections/index.ts';
import type { QueueAnswer } from '../../contracts/api/answers.ts';
import { queueParts } from '../../contracts/api/queue-name.ts';
import { queueOf } from '../../engine/supervisor/agent-roster.ts';
import type { QueueKey } from '../../engine/supervisor/ready-tasks.ts';
import type { Needs } from '../context.ts';
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
  for (const key of projections.queues.paused.keys()) viewOf(key as QueueKey);
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

export function queueJson(
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
