/** Pausing and resuming queues. */

import type { QueueAnswer } from '../../contracts/api/answers.ts';
import { queueText } from '../../contracts/api/queue-name.ts';
import type { Decision } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { EventOf } from '../../contracts/events/events.ts';
import type { QueueKey } from '../../engine/supervisor/ready-tasks.ts';
import type { AppContext, Needs } from '../context.ts';
import { deciderOf } from '../decider.ts';
import { queueJson, queuesOf } from './queues.ts';

const EVENTS = { pause: 'queue.paused', resume: 'queue.resumed' } as const;

export type QueueDecision = keyof typeof EVENTS;

export const QUEUE_DECISIONS = Object.keys(EVENTS) as readonly QueueDecision[];

export interface QueueName {
  readonly kind: 'agent' | 'type';
  /** Of the agent, or of the type. */
  readonly name: string;
}

/** Queues that an error message lists. */
const MAX_LISTED = 20;

/**
 * Pauses or resumes a queue. No task of a paused queue is dispatched; tasks may be added, and open attempts go on. A
 * pause survives restarts.
 * @returns the queue afterwards. @throws SignalboxError `queue_not_found`, `illegal_transition`, `log_unavailable`
 */
export async function decideQueue(
  app: AppContext,
  { kind, name }: QueueName,
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
  // The queue of a type without tasks is not listed any more once it is resumed.
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
    `queue ${key} is open: queue.resumed is not possible there, only queue.paused`,
    {
      details: {
        entity: 'queue',
        id: key,
        state: 'open',
        event: 'queue.resumed',
        legal: ['queue.paused'],
      },
    },
  );
}
