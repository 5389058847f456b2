/** An event in words. */
import { queueText } from '../../../src/contracts/api/queue-name.ts';
import type { EventAnswer } from '../../api/types.ts';
import { duration, spoken } from '../base/format.ts';

/** Whom and what it is about, and what happened. */
export function eventSentence(event: EventAnswer): string {
  const { event: what } = event;
  const place = 'task' in what ? `${what.project}/${what.task}: ` : '';
  return `${place}${happened(event)}`;
}

/** What happened, without the task that it happened to. */
export function happened({ event, time }: EventAnswer): string {
  switch (event.type) {
    case 'task.created':
      return `created: ${event.spec.title}`;
    case 'task.due':
      return 'is due';
    case 'task.dependency_met':
      return `${event.dependency} is done, which it waited for`;
    case 'task.claimed':
      return `attempt ${event.attempt} given to ${event.agent}`;
    case 'task.progress_reported':
      return `${event.agent} is working${also(event.detail)}`;
    case 'task.output_added':
      return `output added: ${event.output.title}`;
    case 'task.comment_added':
      return `${event.author} commented${also(event.body)}`;
    case 'task.submitted':
      return `${event.agent} handed the result in${also(event.detail)}`;
    case 'task.failure_reported':
      return `${event.agent} gave up${also(event.detail)}${retry(event.retry_at_ms, time)}`;
    case 'task.blocked':
      return `blocked${also(event.reason)}`;
    case 'task.unblocked':
      return `unblocked${also(event.comment)}`;
    case 'task.approved':
      return `approved${also(event.comment)}`;
    case 'task.rejected':
      return `sent back${also(event.comment)}`;
    case 'task.cancelled':
      return `cancelled${also(event.reason)}`;
    case 'task.expired':
      return 'expired before anybody took it';
    case 'task.redriven':
      return `put back to pending with fresh attempts${also(event.comment)}`;
    case 'task.redacted':
      return `the content of event ${event.sequence} was erased${also(event.reason)}`;
    case 'attempt.started':
      return `attempt ${event.attempt} started${event.pid === undefined ? '' : ` as process ${event.pid}`} on ${event.host}`;
    case 'attempt.suspected':
      return `attempt ${event.attempt} is suspected${also(event.reason)}`;
    case 'attempt.recovered':
      return `attempt ${event.attempt} shows life again${also(event.evidence)}`;
    case 'attempt.stop_requested':
      return `attempt ${event.attempt} is to be stopped: ${spoken(event.reason)}`;
    case 'attempt.ended':
      return `attempt ${event.attempt} ended: ${spoken(event.outcome)}${also(event.error)}${retry(event.retry_at_ms, time)}`;
    case 'attempt.message_rejected':
      return `a ${event.message} of attempt ${event.attempt} was refused${also(event.reason)}`;
    case 'agent.registered':
      return `agent ${event.agent} is configured with ${event.concurrency} at once`;
    case 'agent.paused':
      return `agent ${event.agent} paused${also(event.reason)}`;
    case 'agent.drained':
      return `agent ${event.agent} takes no more tasks${also(event.reason)}`;
    case 'agent.resumed':
      return `agent ${event.agent} takes tasks again${also(event.reason)}`;
    case 'agent.parked':
      return `agent ${event.agent} is parked${also(event.reason)}`;
    case 'agent.probed':
      return `agent ${event.agent} is tried with one attempt`;
    case 'agent.unparked':
      return `agent ${event.agent} works again`;
    case 'agent.connected':
      return `agent ${event.agent} is there, on worker ${event.worker}`;
    case 'agent.disconnected':
      return `agent ${event.agent} is gone${also(event.reason)}`;
    case 'agent.retired':
      return `agent ${event.agent} is not configured any more${also(event.reason)}`;
    case 'queue.paused':
      return `the queue of ${queueText(event.queue)} is paused${also(event.reason)}`;
    case 'queue.resumed':
      return `the queue of ${queueText(event.queue)} is handed out again${also(event.reason)}`;
    case 'supervisor.started':
      return `Signalbox ${event.version} started on ${event.host}, process ${event.pid}`;
    case 'supervisor.draining':
      return `Signalbox takes no new work${also(event.reason)}`;
    case 'supervisor.stopped':
      return `Signalbox stopped${also(event.reason)}`;
    case 'supervisor.key_introduced':
      return `the log is signed with the key ${event.key.slice(0, 12)}… from here on`;
    case 'supervisor.checkpointed':
      return `the log was signed up to event ${event.sequence}`;
    default:
      return spoken((event satisfies never as { type: string }).type);
  }
}

const also = (text: string | undefined): string => (text ? `: ${text}` : '');

function retry(at: number | null, time: string): string {
  return at === null ? '' : `; next try after ${duration(Math.max(0, at - Date.parse(time)))}`;
}
