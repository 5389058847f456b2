/** The vocabulary of tasks: states, outcomes, outputs, and a task as it is stored in the log. */
import { z } from 'zod';
import { STORED_FIELDS } from './task-fields.ts';
import { diffFactsSchema } from './workspaces.ts';

export const TASK_STATES = [
  'scheduled',
  'pending',
  'claimed',
  'working',
  'review',
  'done',
  'failed',
  'blocked',
  'cancelled',
  'expired',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

export function isTaskState(text: string): text is TaskState {
  return TASK_STATES.some((state) => state === text);
}

/** States that a task leaves only by a redrive, or never. */
export const SETTLED_STATES: ReadonlySet<string> = new Set<TaskState>([
  'done',
  'failed',
  'cancelled',
  'expired',
]);

/** States of dead letters: tasks that failed or expired, until they are redriven. */
export const DEAD_STATES = ['failed', 'expired'] as const satisfies readonly TaskState[];

export function isDeadState(state: TaskState): state is (typeof DEAD_STATES)[number] {
  return DEAD_STATES.some((dead) => dead === state);
}

export const OUTPUT_TYPES = ['code', 'document', 'data', 'config', 'other'] as const;

export const ATTEMPT_OUTCOMES = [
  'completed',
  'failed',
  'timed_out',
  'killed',
  'cancelled',
  'spawn_failed',
  'lost',
  'quota',
  'not_begun',
  'parked',
] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

interface OutcomeMeaning {
  /** Whether the attempt counts towards `max_attempts`, the backoff and a budget of attempts. */
  readonly usesUpAttempt: boolean;
  /** Whether it counts against the agent: so many in a row open its circuit breaker. */
  readonly isFailure: boolean;
}

/** What each outcome counts for. Every rule about attempts that count reads this table. */
const OUTCOMES: Readonly<Record<AttemptOutcome, OutcomeMeaning>> = {
  completed: { usesUpAttempt: true, isFailure: false },
  failed: { usesUpAttempt: true, isFailure: true },
  timed_out: { usesUpAttempt: true, isFailure: true },
  killed: { usesUpAttempt: true, isFailure: true },
  cancelled: { usesUpAttempt: true, isFailure: false },
  spawn_failed: { usesUpAttempt: true, isFailure: true },
  lost: { usesUpAttempt: true, isFailure: false },
  /** The quota of its agent was used up: the agent waits, and the task loses nothing. */
  quota: { usesUpAttempt: false, isFailure: false },
  /** No worker of its remote agent has begun it: nothing was done. */
  not_begun: { usesUpAttempt: false, isFailure: false },
  /** It was ended while it waited for an answer, which starts the next one. */
  parked: { usesUpAttempt: false, isFailure: false },
};

/** Whether an attempt that ended like this counts towards `max_attempts`. Numbers of attempts go on in any case. */
export function usesUpAttempt(outcome: AttemptOutcome): boolean {
  return OUTCOMES[outcome].usesUpAttempt;
}

/** Whether an attempt that ended like this counts against its agent. */
export function isFailure(outcome: AttemptOutcome): boolean {
  return OUTCOMES[outcome].isFailure;
}

export const STOP_REASONS = [
  'timeout',
  'silence',
  'cancelled',
  'lingering',
  'operator',
  'shutdown',
  'parked',
] as const;
export type StopReason = (typeof STOP_REASONS)[number];

/** How a message of a user reached a running agent. */
export const STEERING_WAYS = ['driver', 'answer', 'prompt'] as const;
export type SteeringWay = (typeof STEERING_WAYS)[number];

/** The streams of an attempt's process that are kept. */
export const LOG_STREAMS = ['stdout', 'stderr'] as const;
export type LogStream = (typeof LOG_STREAMS)[number];

/** The form of a `traceparent` in the log. */
export const traceparentSchema = z.string().regex(/^00-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/);

/** A task to create when another one is done. Its texts may hold `{{outputs}}`, `{{title}}` and `{{task_id}}` of that one. */
export interface FollowUpSpec extends z.infer<z.ZodObject<typeof STORED_FIELDS>> {
  readonly delay_ms?: number | undefined;
  readonly follow_ups?: FollowUpSpec[] | undefined;
}
export const followUpSpecSchema: z.ZodType<FollowUpSpec> = z.lazy(() =>
  z.strictObject({
    ...STORED_FIELDS,
    delay_ms: z.int().min(0).optional(),
    follow_ups: z.array(followUpSpecSchema).optional(),
  }),
);

/** A task as it was accepted: every default is filled in, so a later change of defaults changes no old task. */
export const taskSpecSchema = z.strictObject({
  ...STORED_FIELDS,
  follow_ups: z.array(followUpSpecSchema).optional(),
  /** The trace of the caller (W3C Trace Context), if it has one. */
  traceparent: traceparentSchema.optional(),
  tracestate: z.string().optional(),
});
export type TaskSpec = z.infer<typeof taskSpecSchema>;

/** A file that stands for an output's content: its bytes are named by their hash and copied into the data directory. */
export const contentReferenceSchema = z.strictObject({
  path: z.string(),
  size: z.int().min(0),
  sha256: z.string(),
});
export type ContentReference = z.infer<typeof contentReferenceSchema>;

export const outputSchema = z.strictObject({
  type: z.enum(OUTPUT_TYPES),
  title: z.string(),
  content: z.string().optional(),
  content_file: contentReferenceSchema.optional(),
  summary: z.string().optional(),
  agent: z.string(),
  /** If it is the diff of a workspace: its content is the patch. */
  diff: diffFactsSchema.optional(),
});
export type Output = z.infer<typeof outputSchema>;
