/** What waits, and for whom. */
import type { PausedQueue, TaskView } from '../../../projections/index.ts';
import type { QueueAnswer } from '../../contracts/api/answers.ts';
import { queueParts } from '../../contracts/api/queue-name.ts';
import { laneOf } from '../../engine/supervisor/agent-roster.ts';
import type { Lane } from '../../engine/supervisor/ready-queue.ts';
import type { Needs } from '../context.ts';
import { timeOf } from '../tasks/task-json.ts';

export interface QueueView {
  readonly lane: Lane;
  pending: number;
  scheduled: number;
  /** Epoch milliseconds at which the oldest pending task was created; null where none is pending. */
  oldestPendingAt: number | null;
}

type QueueSources = Needs<'state.projections' | 'supervision.roster'>;

/** Of every agent and type that is configured, asked for or paused; by name. */
export function queuesOf(app: QueueSources): QueueView[] {
  const { projections } = app.state;
  const { roster } = app.supervision;
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

export function listQueues(app: QueueSources): QueueAnswer[] {
  return queuesOf(app).map((queue) => queueJson(app, queue));
}

export function queueJson(
  { state, supervision }: QueueSources,
  { lane, pending, scheduled, oldestPendingAt }: QueueView,
): QueueAnswer {
  const paused = state.projections.queues.paused.get(lane);
  return {
    ...queueParts(lane),
    pending,
    scheduled,
    oldest_pending_at: timeOf(oldestPendingAt),
    agents: [...supervision.roster.takersOf(lane)],
    paused: paused === undefined ? null : pauseJson(paused),
  };
}

function pauseJson({ since, by, reason }: PausedQueue): QueueAnswer['paused'] {
  return { since: timeOf(since), by, reason };
}
