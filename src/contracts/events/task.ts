/** The events of tasks. */
import { z } from 'zod';
import { outputSchema, STEERING_WAYS, taskSpecSchema } from '../tasks.ts';
import { APPROVAL_MODES } from '../workspaces.ts';
import { ADDRESS, event, REDACTED } from './event.ts';
import { redactedOutput, redactedSpec } from './redaction.ts';
import { redactedChanges, taskChangesSchema } from './task-edits.ts';

const { task, attempt, agent } = ADDRESS;
const text = z.string();
const optionalText = z.string().optional();
/** Epoch milliseconds of the next attempt, or null if another one makes no sense. */
const retryAt = { retry_at_ms: z.int().nullable() };

export const TASK_EVENTS = [
  event({
    type: 'task.created',
    moves: ['task'],
    opens: 'task',
    text: (created) => ({ ...created, spec: redactedSpec(created.spec) }),
    data: {
      ...task,
      spec: taskSpecSchema,
      /** SHA-256 (hex) of the request in canonical form: the same request again creates nothing. */
      request_sha256: z.string(),
      /** Those of `depends_on` that were not done when it was created. */
      waiting_for: z.array(z.string()).optional(),
    },
  }),
  event({ type: 'task.due', moves: ['task'], data: task }),
  event({ type: 'task.dependency_met', moves: ['task'], data: { ...task, dependency: z.string() } }),
  event({
    type: 'task.claimed',
    moves: ['task', 'attempt', 'agent'],
    opens: 'attempt',
    data: {
      ...attempt,
      ...agent,
      /** SHA-256 (hex) of the token, which is never logged. Absent if the agent cannot write back. */
      token_sha256: z.string().optional(),
      /** Why the session in which an earlier attempt was parked is not continued. */
      session_given_up: z.string().optional(),
    },
  }),
  event({
    type: 'task.progress_reported',
    moves: ['task'],
    text: ['detail'],
    data: { ...attempt, ...agent, detail: optionalText },
  }),
  event({
    type: 'task.output_added',
    moves: ['task'],
    text: (added) => ({ ...added, output: redactedOutput(added.output) }),
    data: { ...task, attempt: z.int().min(1).nullable(), output: outputSchema },
  }),
  event({
    type: 'task.comment_added',
    moves: ['task'],
    text: ['body'],
    data: { ...task, author: z.string(), body: text },
  }),
  event({
    type: 'task.submitted',
    moves: ['task', 'attempt'],
    text: ['detail'],
    data: { ...attempt, ...agent, detail: optionalText },
  }),
  event({
    type: 'task.failure_reported',
    moves: ['task', 'attempt'],
    text: ['detail'],
    data: { ...attempt, ...agent, detail: text, ...retryAt },
  }),
  event({
    type: 'task.blocked',
    moves: ['task', 'attempt'],
    text: ['reason'],
    data: {
      ...task,
      attempt: z.int().min(1).nullable(),
      reason: text,
      /** The dependency that was not done. If it is done later, the task goes on without a person. */
      dependency: z.string().optional(),
      /** The agent needs something: its attempt does not count. Absent in the events of earlier versions. */
      gives_back: z.literal(true).optional(),
    },
  }),
  event({
    type: 'task.unblocked',
    moves: ['task'],
    text: ['comment'],
    data: { ...task, comment: optionalText },
  }),
  event({
    type: 'task.approved',
    moves: ['task'],
    text: ['comment'],
    data: {
      ...task,
      comment: optionalText,
      /** It is done when its work is merged like this. Absent: it is done. */
      merge: z.enum(APPROVAL_MODES).optional(),
    },
  }),
  event({ type: 'task.rejected', moves: ['task'], text: ['comment'], data: { ...task, comment: text } }),
  event({
    type: 'task.cancelled',
    moves: ['task'],
    text: ['reason'],
    data: {
      ...task,
      reason: optionalText,
      /** The tasks below it are cancelled, too. */
      children: z.literal(true).optional(),
    },
  }),
  /** A user changed what is to be done. While an attempt is open, only the priority. */
  event({
    type: 'task.edited',
    moves: ['task'],
    text: ({ changes, comment, ...rest }) => {
      const erased = redactedChanges(changes);
      if (erased === null && comment === undefined) return null;
      return { ...rest, changes: erased ?? changes, ...(comment !== undefined && { comment: REDACTED }) };
    },
    data: { ...task, changes: taskChangesSchema, comment: optionalText },
  }),
  /** A message for the agent, while it works or before its next attempt. */
  event({
    type: 'task.steered',
    moves: ['task'],
    text: ['text'],
    data: { ...task, message: z.string(), text },
  }),
  /** The agent got the messages. */
  event({
    type: 'task.steering_delivered',
    moves: ['task'],
    data: {
      ...attempt,
      messages: z.array(z.string()).min(1),
      /** Into the running agent, with an answer to one of its calls, or in the prompt of the attempt. */
      by: z.enum(STEERING_WAYS),
    },
  }),
  event({ type: 'task.expired', moves: ['task'], data: task }),
  event({
    type: 'task.redriven',
    moves: ['task'],
    text: ['comment'],
    data: { ...task, comment: optionalText },
  }),
  /** The content of an earlier event of the task was erased from the log. */
  event({
    type: 'task.redacted',
    moves: [],
    marks: ['task', 'attempt'],
    data: {
      ...task,
      reason: z.string(),
      /** The event whose content was erased. */
      sequence: z.int().min(1),
      /** SHA-256 (hex) of its bytes as they were stored: its link in the hash chain. */
      sha256: z.string(),
      /** Its CloudEvent with a marker for each text: what is read in its place. */
      skeleton: z.record(z.string(), z.unknown()),
    },
  }),
] as const;
