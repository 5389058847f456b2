/**
 * What is left of a task and of an output when their content is erased.
 *
 * Invariant events/redaction-same-state: machines decide the same with the redacted event, because numbers, outcomes,
 * limits and ids stay. Projections use the same functions on what they hold, so a log that is read with the skeleton
 * gives the same state as the content followed by its redaction. Every text that a person or an agent wrote goes,
 * titles included.
 */
import { REDACTED_FIELDS } from '../task-fields.ts';
import type { FollowUpSpec, Output, TaskSpec } from '../tasks.ts';
import { REDACTED } from './event.ts';

/** A task without what its creator wrote, also in its follow-ups. */
export function redactedSpec(spec: TaskSpec): TaskSpec {
  return { ...spec, ...REDACTED_FIELDS, follow_ups: spec.follow_ups?.map(redactedFollowUp) };
}

function redactedFollowUp(spec: FollowUpSpec): FollowUpSpec {
  return { ...spec, ...REDACTED_FIELDS, follow_ups: spec.follow_ups?.map(redactedFollowUp) };
}

/** An output, or what a projection shows of one. Its type, its author and its place stay. */
export function redactedOutput<Shown extends Output>({ content_file, summary, ...output }: Shown) {
  return { ...output, title: REDACTED, content: REDACTED };
}
