/** The answers of operations. Times are RFC 3339 in UTC. */
import { z } from 'zod';
import { EVENT_TYPES, transitionSchema } from '../events/events.ts';
import { count, time } from '../fields.ts';
import { rejectionRecordSchema } from '../messages/rejections.ts';
import { ANSWER_FIELDS, type AnswerFields } from '../task-fields.ts';
import {
  ATTEMPT_OUTCOMES,
  contentReferenceSchema,
  DEAD_STATES,
  OUTPUT_TYPES,
  STOP_REASONS,
  TASK_STATES,
} from '../tasks.ts';
import { TRANSCRIPT_FORMATS, transcriptProofSchema } from '../transcript/schemas.ts';
import { usageSchema } from '../usage.ts';
import { diffFactsSchema } from '../workspaces.ts';
import { steeringAnswerSchema } from './steering.ts';
import { usageFiguresSchema } from './usage/figures.ts';

export const outputAnswerSchema = z.strictObject({
  number: z.int().min(1),
  attempt: z.int().nullable(),
  agent: z.string(),
  type: z.enum(OUTPUT_TYPES),
  title: z.string(),
  summary: z.string().nullable(),
  content: z.string().nullable(),
  /** The captured file, and the path of its copy. */
  content_file: contentReferenceSchema.extend({ stored_at: z.string() }).nullable(),
  /** If it is the diff of a workspace; `…/diff` has it by file. */
  diff: diffFactsSchema.nullable(),
  time,
});

export type OutputAnswer = z.output<typeof outputAnswerSchema>;

export const commentAnswerSchema = z.strictObject({ author: z.string(), body: z.string(), time });
export type CommentAnswer = z.output<typeof commentAnswerSchema>;

export const attemptAnswerSchema = z.strictObject({
  attempt: z.int().min(1),
  agent: z.string(),
  /** `requested`, `running`, `suspected`, `stopping`, or an outcome. */
  status: z.string(),
  outcome: z.enum(ATTEMPT_OUTCOMES).nullable(),
  error: z.string().nullable(),
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  stop_reason: z.enum(STOP_REASONS).nullable(),
  driver: z.string().nullable(),
  host: z.string().nullable(),
  pid: z.int().nullable(),
  claimed_at: time,
  started_at: time.nullable(),
  ended_at: time.nullable(),
  deadline: time.nullable(),
  duration_ms: z.number().nullable(),
  cpu_ms: z.int().nullable(),
  peak_memory_bytes: z.int().nullable(),
  usage: usageSchema.nullable(),
  /** The agent's own session, which a retry can continue. */
  session: z.string().nullable(),
  stderr_tail: z.string().nullable(),
  evidence: z.record(z.string(), z.unknown()).nullable(),
  /** What proves its transcript; null while it runs, or if its process has printed nothing. */
  transcript: transcriptProofSchema.nullable(),
  /** If one attempt is read: the format of its transcript. */
  transcript_format: z.enum(TRANSCRIPT_FORMATS).optional(),
  /**
   * If one attempt is read: the program and its arguments, long ones truncated. null if it was not started on this
   * machine, or its files are gone.
   */
  command: z.array(z.string()).nullable().optional(),
  /** Messages that came too late and changed nothing. */
  rejected_messages: z.array(z.strictObject({ message: z.string(), reason: z.string(), time })),
});
export type AttemptAnswer = z.output<typeof attemptAnswerSchema>;

export const eventAnswerSchema = z.strictObject({
  /** Its place in the log. */
  sequence: z.int().min(1),
  id: z.string(),
  time,
  actor: z.string(),
  cause: z.string().nullable(),
  event: z.looseObject({ type: z.enum(EVENT_TYPES) }),
  transitions: z.array(transitionSchema),
});

export type EventAnswer = z.output<typeof eventAnswerSchema>;

/** A task that is created when another one is done. */
export interface FollowUpAnswer extends AnswerFields {
  readonly outputs_required: boolean;
  readonly delay_seconds: number | null;
  readonly follow_ups: FollowUpAnswer[];
}
export const followUpAnswerSchema: z.ZodType<FollowUpAnswer> = z.lazy(() =>
  z.strictObject({
    ...ANSWER_FIELDS,
    outputs_required: z.boolean(),
    delay_seconds: z.number().min(0).nullable(),
    follow_ups: z.array(followUpAnswerSchema),
  }),
);

export const taskAnswerSchema = z.strictObject({
  project: z.string(),
  id: z.string(),
  status: z.enum(TASK_STATES),
  version: z.int().min(1),
  ...ANSWER_FIELDS,
  /** Whether a review needs an output. */
  outputs_required: z.boolean(),
  follow_ups: z.array(followUpAnswerSchema),
  /** The agent of the newest attempt. */
  claimed_by: z.string().nullable(),
  /** Number of the newest attempt; 0 before the first. */
  attempt: count,
  /** How many attempts count towards `max_attempts`, the open one included. */
  attempts_used: count,
  open_attempt: z.int().nullable(),
  last_outcome: z.enum(ATTEMPT_OUTCOMES).nullable(),
  /** What its ended attempts have used together; null if there are none. */
  usage: usageFiguresSchema.nullable(),
  reason: z.string().nullable(),
  progress: z.string().nullable(),
  /** When a scheduled task becomes pending. */
  due_at: time.nullable(),
  output_count: count,
  comment_count: count,
  created_at: time,
  updated_at: time,
  finished_at: time.nullable(),
  /** Sequence of the last event that changed the task. */
  sequence: z.int().min(1),
  /** Its children. Absent if it has none. */
  children: z
    .strictObject({
      total: z.int().min(1),
      /** How many have each status; a status that none has is left out. */
      by_status: z.partialRecord(z.enum(TASK_STATES), z.int().min(1)),
      ids: z.array(z.string()),
      /** How many tasks below it have not ended, at any depth. */
      unsettled_below: z.int().min(0),
    })
    .optional(),
  /** The outputs of its children, without their contents. */
  children_outputs: z
    .array(
      z.strictObject({
        task: z.string(),
        number: z.int().min(1),
        type: z.enum(OUTPUT_TYPES),
        title: z.string(),
        summary: z.string().nullable(),
      }),
    )
    .optional(),
  outputs: z.array(outputAnswerSchema).optional(),
  comments: z.array(commentAnswerSchema).optional(),
  attempts: z.array(attemptAnswerSchema).optional(),
  events: z.array(eventAnswerSchema).optional(),
  /** In the answer to a message of its agent: what users tell it. Each message comes once. */
  steering: z.array(steeringAnswerSchema).optional(),
});
export type TaskAnswer = z.output<typeof taskAnswerSchema>;

export const taskPageSchema = z.strictObject({
  tasks: z.array(taskAnswerSchema),
  /** Pass as `after` for the next page; null at the end. */
  next: z.int().nullable(),
});
export type TaskPageAnswer = z.output<typeof taskPageSchema>;

export const attemptListSchema = z.strictObject({ attempts: z.array(attemptAnswerSchema) });

export const openAttemptSchema = z.strictObject({
  project: z.string(),
  task: z.string(),
  attempt: z.int().min(1),
  agent: z.string(),
  /** `requested`, `running`, `suspected`, `stopping`. */
  status: z.string(),
  driver: z.string().nullable(),
  host: z.string().nullable(),
  pid: z.int().nullable(),
  started_at: time.nullable(),
  deadline: time.nullable(),
});

export type OpenAttempt = z.output<typeof openAttemptSchema>;

export const agentAnswerSchema = z.strictObject({
  id: z.string(),
  /** `idle`, `busy`, `paused`, `draining`, `drained` (draining, and nothing runs any more), `parked`, `probing`, `offline`. */
  state: z.string(),
  /** When it entered this state; null if it is not registered yet. */
  since: time.nullable(),
  /** Number of open attempts. */
  running: count,
  concurrency: z.int().min(1),
  /** Attempts in a row that failed. */
  failures: count,
  /** When a parked agent is tried again. */
  parked_until: time.nullable(),
  /** Why it takes no tasks. */
  reason: z.string().nullable(),
  /** Who paused or drained it. */
  by: z.string().nullable(),
  /** The budget that holds it back: its own, or one for all agents; null if none does. */
  budget: z.strictObject({ id: z.string(), detail: z.string(), until: time.nullable() }).nullable(),
  driver: z.string(),
  capabilities: z.array(z.string()),
  /** If one agent is read: its open attempts. */
  open_attempts: z.array(openAttemptSchema).optional(),
});
export type AgentAnswer = z.output<typeof agentAnswerSchema>;

export const agentListSchema = z.strictObject({ agents: z.array(agentAnswerSchema) });

export const queueAnswerSchema = z.strictObject({
  /** `agent`: tasks for that agent. `type`: tasks for any agent that has the capability. */
  kind: z.enum(['agent', 'type']),
  name: z.string(),
  pending: count,
  /** Tasks that wait for a time, for other tasks, or for a retry. */
  scheduled: count,
  oldest_pending_at: time.nullable(),
  /** The agents that may take its tasks. */
  agents: z.array(z.string()),
  /** Since when, by whom and why it is paused; null if it is open. */
  paused: z.strictObject({ since: time, by: z.string(), reason: z.string().nullable() }).nullable(),
});
export type QueueAnswer = z.output<typeof queueAnswerSchema>;

export const queueListSchema = z.strictObject({ queues: z.array(queueAnswerSchema) });

const deadStatus = { status: z.enum(DEAD_STATES), last_error: z.string().nullable() };

/** A task that used up its attempts, or expired. */
export const deadLetterSchema = taskAnswerSchema.extend({
  ...deadStatus,
  attempts: z.array(attemptAnswerSchema),
});
export type DeadLetter = z.output<typeof deadLetterSchema>;

export const deadLetterPageSchema = z.strictObject({
  dead_letters: z.array(deadLetterSchema),
  /** Pass as `after` for the next page; null at the end. */
  next: z.int().nullable(),
});
export type DeadLetterPage = z.output<typeof deadLetterPageSchema>;

export const redriveAnswerSchema = z.strictObject({
  dry_run: z.boolean(),
  /** The tasks that were redriven, or would be, as they were before. */
  redriven: z.array(
    z.strictObject({ project: z.string(), id: z.string(), title: z.string(), attempt: count, ...deadStatus }),
  ),
  /** Tasks that were not redriven, and did not change. */
  errors: z.array(
    z.strictObject({ project: z.string(), id: z.string(), code: z.string(), detail: z.string() }),
  ),
  /** Pass as `after` to continue after the limit; null at the end. */
  next: z.int().nullable(),
});
export type RedriveAnswer = z.output<typeof redriveAnswerSchema>;

export const rejectedListSchema = z.strictObject({ rejected_messages: z.array(rejectionRecordSchema) });

export const processSchema = z.strictObject({
  pid: z.int(),
  parent_pid: z.int(),
  /** The state letter of the system: R, S, D, T. */
  state: z.string(),
  /** The beginning of its command line. */
  command: z.string(),
  cpu_ms: z.int().nullable(),
  age_ms: z.int(),
});

export const attemptProcessesSchema = openAttemptSchema.extend({
  /** Running processes, the oldest first; null for a driver without processes. */
  processes: z.array(processSchema).nullable(),
});
export type AttemptProcesses = z.output<typeof attemptProcessesSchema>;

export const processListSchema = z.strictObject({ attempts: z.array(attemptProcessesSchema) });
