/** What a person decides about a queue: pause and resume. */

import type { QueueAnswer } from '../../contracts/api/answers.ts';
import { queueText } from '../../contracts/api/queue-name.ts';
import type { Decision } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { EventOf } from '../../contracts/events/events.ts';
import type { Lane } from '../../engine/supervisor/ready-queue.ts';
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

/** Queues that a refusal names. */
const NAMED = 20;

/**
 * Of a paused queue no task is handed out, whoever could take it; tasks may be added, and what runs goes on. It lasts
 * over a restart, until it is resumed.
 * @returns the queue as it is then. @throws SignalboxError `queue_not_found`, `illegal_transition`, `log_unavailable`
 */
export async function decideQueue(
  app: AppContext,
  { kind, name }: QueueName,
  decision: QueueDecision,
  request: Decision,
  actor: string,
): Promise<QueueAnswer> {
  const lane: Lane = `${kind}:${name}`;
  assertThere(app, lane);
  const type = EVENTS[decision];
  if (type === 'queue.resumed') assertWasPaused(app, lane);
  const event: EventOf<typeof type> = { type, queue: lane, reason: request.comment };
  app.log.assertWritable();
  await app.log.commit(event, { actor: deciderOf(request, actor) });
  // A type of which the last task has gone meanwhile, and that is open again, is not listed any more.
  const queue = queuesOf(app).find((each) => each.lane === lane);
  return queueJson(app, queue ?? { lane, pending: 0, scheduled: 0, oldestPendingAt: null });
}

function assertThere(app: AppContext, lane: Lane): void {
  const lanes = queuesOf(app).map((queue) => queue.lane);
  if (lanes.includes(lane)) return;
  const known = lanes.map(queueText);
  const more = known.length > NAMED ? ` and ${known.length - NAMED} more` : '';
  throw new SignalboxError(
    'queue_not_found',
    `there is no queue of ${queueText(lane)}: no agent has it, and no task waits in it. There are: ${known.slice(0, NAMED).join(', ') || 'none'}${more}`,
    { details: { queue: lane } },
  );
}

/** Of a queue that was never paused the machines know nothing: what they would say is said here. */
function assertWasPaused({ state }: Needs<'state.host'>, lane: Lane): void {
  if (state.host.get('queue', lane)) return;
  throw new SignalboxError(
    'illegal_transition',
    `queue ${lane} is open: queue.resumed is not possible there, only queue.paused`,
    {
      details: {
        entity: 'queue',
        id: lane,
        state: 'open',
        event: 'queue.resumed',
        legal: ['queue.paused'],
      },
    },
  );
}
