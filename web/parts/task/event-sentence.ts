/** Events as sentences. */
import { nameOf } from '../../../src/contracts/actors.ts';
import { queueText } from '../../../src/contracts/api/queue-name.ts';
import { editText } from '../../../src/contracts/events/edit-text.ts';
import { taskKey } from '../../../src/contracts/ids.ts';
import type { EventAnswer } from '../../api/types.ts';
import { duration, moment, spoken } from '../base/format.ts';

/** What happened, after the task that it happened to: `demo/a: approved`. */
export function eventSentence(answer: EventAnswer): string {
  const { event } = answer;
  return 'task' in event ? `${taskKey(event)}: ${happened(answer)}` : happened(answer);
}

const WAYS = {
  driver: 'while it works',
  answer: 'with an answer of Signalbox',
  prompt: 'in its prompt',
} as const;

function answered(action: string, option: string | undefined): string {
  return option === undefined ? spoken(action) : `${spoken(action)}, ${option}`;
}

/** What happened, without the task. */
export function happened({ event, actor, time }: EventAnswer): string {
  switch (event.type) {
    case 'task.created':
      return `created: ${event.spec.title}`;
    case 'task.due':
      return 'due';
    case 'task.dependency_met':
      return `dependency ${event.dependency} is done`;
    case 'task.claimed':
      return `attempt ${event.attempt} assigned to ${event.agent}`;
    case 'task.progress_reported':
      return `${event.agent} is working${also(event.detail)}`;
    case 'task.output_added':
      return `output added: ${event.output.title}`;
    case 'task.comment_added':
      return `${nameOf(actor)} commented${also(event.body)}`;
    case 'task.submitted':
      return `${event.agent} submitted the result${also(event.detail)}`;
    case 'task.failure_reported':
      return `${event.agent} reported a failure${also(event.detail)}${retry(event.retry_at_ms, time)}`;
    case 'task.blocked':
      return `blocked${also(event.reason)}`;
    case 'task.unblocked':
      return `unblocked${also(event.comment)}`;
    case 'task.approved':
      return `approved${also(event.comment)}`;
    case 'task.rejected':
      return `sent back${also(event.comment)}`;
    case 'task.cancelled':
      return `cancelled${event.children ? ' with everything below it' : ''}${also(event.reason)}`;
    case 'task.edited':
      return `${nameOf(actor)} changed ${editText(event.changes)}${also(event.comment)}`;
    case 'task.expired':
      return 'expired before it was assigned';
    case 'task.redriven':
      return `pending again with fresh attempts${also(event.comment)}`;
    case 'task.redacted':
      return `content of event ${event.sequence} erased${also(event.reason)}`;
    case 'attempt.started':
      return `attempt ${event.attempt} started${event.pid === undefined ? '' : ` as process ${event.pid}`} on ${event.host}`;
    case 'attempt.question_asked':
      return `${event.agent} asks${also(event.spec.message)}`;
    case 'attempt.question_answered':
      return `${nameOf(actor)} answered question ${event.question}: ${answered(event.action, event.option)}${also(event.comment)}`;
    case 'attempt.wait_ended':
      return `the time of attempt ${event.attempt} counts again${also(event.reason)}`;
    case 'attempt.wait_resumed':
      return `attempt ${event.attempt} waits again for an answer`;
    case 'task.steered':
      return `${nameOf(actor)} told the agent${also(event.text)}`;
    case 'task.steering_delivered':
      return `attempt ${event.attempt} got the message ${WAYS[event.by]}`;
    case 'attempt.suspected':
      return `attempt ${event.attempt} may hang${also(event.reason)}`;
    case 'attempt.recovered':
      return `attempt ${event.attempt} is active again${also(event.evidence)}`;
    case 'attempt.extended':
      return `${nameOf(actor)} gave attempt ${event.attempt} more time, until ${moment(new Date(event.deadline_ms).toISOString())}`;
    case 'attempt.stop_requested':
      return `attempt ${event.attempt} is being stopped: ${spoken(event.reason)}`;
    case 'attempt.ended':
      return `attempt ${event.attempt} ended: ${spoken(event.outcome)}${also(event.error)}${retry(event.retry_at_ms, time)}`;
    case 'attempt.message_rejected':
      return `${event.message} message of attempt ${event.attempt} rejected${also(event.reason)}`;
    default:
      return otherEvent(event);
  }
}

type OtherEvent = EventAnswer['event'];

/** What happened to an agent, a queue or Signalbox, and what has no sentence of its own. */
function otherEvent(event: OtherEvent): string {
  switch (event.type) {
    case 'agent.registered':
      return `agent ${event.agent} configured with ${event.concurrency} slots`;
    case 'agent.paused':
      return `agent ${event.agent} paused${also(event.reason)}`;
    case 'agent.drained':
      return `agent ${event.agent} drained${also(event.reason)}`;
    case 'agent.resumed':
      return `agent ${event.agent} resumed${also(event.reason)}`;
    case 'agent.parked':
      return `agent ${event.agent} parked${also(event.reason)}`;
    case 'agent.probed':
      return `agent ${event.agent} is tested with one attempt`;
    case 'agent.unparked':
      return `agent ${event.agent} works again`;
    case 'agent.connected':
      return `agent ${event.agent} connected through worker ${event.worker}`;
    case 'agent.disconnected':
      return `agent ${event.agent} disconnected${also(event.reason)}`;
    case 'agent.retired':
      return `agent ${event.agent} is no longer configured${also(event.reason)}`;
    case 'queue.paused':
      return `queue of ${queueText(event.queue)} paused${also(event.reason)}`;
    case 'queue.resumed':
      return `queue of ${queueText(event.queue)} resumed${also(event.reason)}`;
    case 'supervisor.started':
      return `Signalbox ${event.version} started on ${event.host} as process ${event.pid}`;
    case 'supervisor.draining':
      return `Signalbox stops taking new work${also(event.reason)}`;
    case 'supervisor.stopped':
      return `Signalbox stopped${also(event.reason)}`;
    case 'supervisor.key_introduced':
      return `signing key ${event.key.slice(0, 12)}… introduced`;
    case 'supervisor.checkpointed':
      return `log signed up to event ${event.sequence}`;
    default:
      return textOf(event);
  }
}

/** An event without a sentence of its own: what it is called, and the text that it has. */
function textOf(event: OtherEvent): string {
  const [, verb = event.type] = event.type.split('.');
  const reason = 'reason' in event ? event.reason : undefined;
  return `${spoken(verb)}${also('comment' in event ? event.comment : reason)}`;
}

const also = (text: string | undefined): string => (text ? `: ${text}` : '');

function retry(at: number | null, time: string): string {
  return at === null ? '' : `; next attempt in ${duration(Math.max(0, at - Date.parse(time)))}`;
}
