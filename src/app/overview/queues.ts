/** What waits, and for whom. */
import type { PausedQueue, TaskView } from '../../../projections/index.ts';
import { queueParts } from '../../contracts/api/queue-name.ts';
import { laneOf } from '../../engine/supervisor/agent-roster.ts';
import type { Lane } from '../../engine/supervisor/ready-queue.ts';
import type { AppContext } from '../context.ts';
import { type Json, timeOf } from '../tasks/task-json.ts';

export interface QueueView {
  readonly lane: Lane;
  pending: number;
  scheduled: number;
  /** Epoch milliseconds at which the oldest pending task was created; null where none is pending. */
  oldestPendingAt: number | null;
}

/** Of every agent and type that is configured, asked for or paused; by name. */
export function queuesOf({ projections, roster }: Pick<AppContext, 'projections' | 'roster'>): QueueView[] {
  const queues = new Map<Lane, QueueView>();
  const queueOf = (lane: Lane): QueueView => {
    const queue = queues.get(lane) ?? { lane, pending: 0, scheduled: 0, oldestPendingAt: null };
    queues.set(lane, queue);
    return queue;
  };
  for (const { id } of roster.all()) for (const lane of roster.lanesOf(id)) queueOf(lane);
  for (const lane of projections.queues.paused.keys()) queueOf(lane as Lane);
  for (const task of projections.blackboard.tasks.values()) {
    if (task.state === 'pending' || task.state === 'scheduled') count(queueOf(laneOf(task.spec)), task);
  }
  return [...queues.values()].sort((a, b) => (a.lane < b.lane ? -1 : 1));
}

function count(queue: QueueView, { state, createdAt }: TaskView): void {
  if (state === 'scheduled') {
    queue.scheduled++;
    return;
  }
  queue.pending++;
  // They come in the order of their creation.
  queue.oldestPendingAt ??= createdAt;
}

export function listQueues(app: AppContext): readonly Json[] {
  return queuesOf(app).map((queue) => queueJson(app, queue));
}

export function queueJson(
  { projections, roster }: Pick<AppContext, 'projections' | 'roster'>,
  { lane, pending, scheduled, oldestPendingAt }: QueueView,
): Json {
  const paused = projections.queues.paused.get(lane);
  return {
    ...queueParts(lane),
    pending,
    scheduled,
    oldest_pending_at: timeOf(oldestPendingAt),
    agents: roster.takersOf(lane),
    paused: paused === undefined ? null : pauseJson(paused),
  };
}

function pauseJson({ since, by, reason }: PausedQueue): Json {
  return { since: timeOf(since), by, reason };
}
