/**
 * What is left of an event when its content has to go.
 *
 * D1 The machines go the same way with it: what they decide by (numbers, outcomes, limits, ids) stays.
 * D2 The projections use the same functions on what they hold, so a log that is read with the skeleton leads to the
 *    same state as one that was lived through with the content and the redaction after it.
 * D3 Every text that a person or an agent wrote is replaced, titles included: no one has to guess what a title says.
 */
import { unreachable } from '../errors.ts';
import type { FollowUpSpec, Output, TaskSpec } from '../tasks.ts';
import type { DomainEvent, EventOf } from './events.ts';

export const REDACTED = '[redacted]';

/** The same event without its content; null where it has none. */
export function redactedForm(event: DomainEvent): DomainEvent | null {
  switch (event.type) {
    case 'task.created':
      return { ...event, spec: redactedSpec(event.spec) };
    case 'task.output_added':
      return { ...event, output: redactedOutput(event.output) };
    case 'task.comment_added':
      return { ...event, body: REDACTED };
    case 'task.progress_reported':
    case 'task.submitted':
      return event.detail === undefined ? null : { ...event, detail: REDACTED };
    case 'task.failure_reported':
      return { ...event, detail: REDACTED };
    case 'task.blocked':
      return { ...event, reason: REDACTED };
    case 'task.cancelled':
      return event.reason === undefined ? null : { ...event, reason: REDACTED };
    case 'task.rejected':
      return { ...event, comment: REDACTED };
    case 'task.approved':
    case 'task.unblocked':
    case 'task.redriven':
      return event.comment === undefined ? null : { ...event, comment: REDACTED };
    case 'attempt.ended':
      return redactedEnd(event);
    case 'task.due':
    case 'task.dependency_met':
    case 'task.claimed':
    case 'task.expired':
    case 'task.redacted':
    case 'attempt.started':
    case 'attempt.suspected':
    case 'attempt.recovered':
    case 'attempt.stop_requested':
    case 'attempt.message_rejected':
    case 'agent.registered':
    case 'agent.paused':
    case 'agent.drained':
    case 'agent.resumed':
    case 'agent.parked':
    case 'agent.probed':
    case 'agent.unparked':
    case 'agent.connected':
    case 'agent.disconnected':
    case 'agent.retired':
    case 'queue.paused':
    case 'queue.resumed':
    case 'supervisor.started':
    case 'supervisor.draining':
    case 'supervisor.stopped':
    case 'supervisor.key_introduced':
    case 'supervisor.checkpointed':
      return null;
    default:
      return unreachable(event, 'redactedForm');
  }
}

/** Everything that its creator wrote; when, by whom, how often and after what it is done stays. */
export function redactedSpec(spec: TaskSpec): TaskSpec {
  const { follow_ups: followUps, ...rest } = spec;
  const own = redactedTexts(rest);
  return followUps === undefined ? own : { ...own, follow_ups: followUps.map(redactedFollowUp) };
}

function redactedFollowUp(spec: FollowUpSpec): FollowUpSpec {
  const { follow_ups: followUps, ...rest } = spec;
  const own = redactedTexts(rest);
  return followUps === undefined ? own : { ...own, follow_ups: followUps.map(redactedFollowUp) };
}

type Texts = Pick<TaskSpec, 'title' | 'description' | 'params' | 'must_haves' | 'labels' | 'source'>;

function redactedTexts<Spec extends Texts>({ params, must_haves, labels, source, ...spec }: Spec) {
  return { ...spec, title: REDACTED, description: REDACTED };
}

/** An output, or what a projection shows of one. Its type, its author and its place stay. */
export function redactedOutput<Shown extends Output>({ content_file, summary, ...output }: Shown) {
  return { ...output, title: REDACTED, content: REDACTED };
}

/** How an attempt ended, without what its agent wrote: numbers and outcome stay. */
function redactedEnd(event: EventOf<'attempt.ended'>): DomainEvent | null {
  const { error, stderr_tail, evidence, ...rest } = event;
  if (error === undefined && stderr_tail === undefined && evidence === undefined) return null;
  return error === undefined ? rest : { ...rest, error: REDACTED };
}
