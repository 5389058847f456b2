/** The vocabulary of tasks: what a caller may say of one, as it stands in the log and in every answer. */
import { z } from 'zod';
import { ID_PATTERN } from './ids.ts';
import { traceparentSchema } from './trace-context.ts';

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

/** States that a task leaves only by an operator's redrive, or never. */
export const SETTLED_STATES: ReadonlySet<TaskState> = new Set(['done', 'failed', 'cancelled', 'expired']);

/** States of dead letters: given up, until an operator redrives them. */
export const DEAD_STATES = ['failed', 'expired'] as const satisfies readonly TaskState[];

export const OUTPUT_TYPES = ['code', 'document', 'data', 'config', 'other'] as const;

export const ATTEMPT_OUTCOMES = [
  'completed',
  'failed',
  'timed_out',
  'killed',
  'cancelled',
  'spawn_failed',
  'lost',
] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** Outcomes that speak against the agent; a lost or cancelled attempt says nothing about it. */
export const FAILED_OUTCOMES: ReadonlySet<AttemptOutcome> = new Set([
  'failed',
  'timed_out',
  'killed',
  'spawn_failed',
]);

export const STOP_REASONS = ['timeout', 'silence', 'cancelled', 'lingering', 'operator', 'shutdown'] as const;
export type StopReason = (typeof STOP_REASONS)[number];

/** What is kept of the standard streams of an attempt's process. */
export const LOG_STREAMS = ['stdout', 'stderr'] as const;
export type LogStream = (typeof LOG_STREAMS)[number];

const idSchema = z.string().regex(ID_PATTERN);

/** Delay before retry n (1 is the first retry): `initial * factor^(n-1)`, at most `max`, plus or minus `jitter` (a share). */
export const backoffSchema = z.strictObject({
  initial_seconds: z.number().min(0).max(86_400).default(2),
  factor: z.number().min(1).max(10).default(2),
  max_seconds: z.number().min(0).max(604_800).default(300),
  jitter: z.number().min(0).max(1).default(0.2),
});
export type Backoff = z.infer<typeof backoffSchema>;

/** Caps of a task together with its children and follow-ups, checked before each attempt. */
export const budgetSchema = z.strictObject({
  attempts: z.int().min(1).optional(),
  tokens: z.int().min(1).optional(),
  cost_usd: z.number().positive().optional(),
  /** Time that attempts have run, added up. */
  wall_seconds: z.number().positive().optional(),
});
export type Budget = z.infer<typeof budgetSchema>;

const specFields = {
  title: z.string(),
  description: z.string(),
  type: z.string().optional(),
  action: z.string().optional(),
  params: z.record(z.string(), z.unknown()).optional(),
  priority: z.int().min(1).max(10),
  must_haves: z.array(z.string()).optional(),
  agent: idSchema.optional(),
  timeout_seconds: z.number().positive().optional(),
  silence_timeout_seconds: z.number().positive().optional(),
  not_before_ms: z.int().optional(),
  expires_at_ms: z.int().optional(),
  max_attempts: z.int().min(1).max(100),
  backoff: backoffSchema,
  review: z.string(),
  outputs: z.enum(['required', 'optional']),
  labels: z.record(z.string(), z.string()).optional(),
  source: z.string().optional(),
  idempotency_key: z.string().optional(),
  parent: idSchema.optional(),
  /** Whether it is done only when its children are settled. */
  join: z.boolean().optional(),
  depends_on: z.array(idSchema).optional(),
  /** The task, and the attempt of it, that this one is to judge: set by Signalbox, where `review` names an agent. */
  reviews: z.strictObject({ task: idSchema, attempt: z.int().min(1) }).optional(),
  budget: budgetSchema.optional(),
};

/** A task to create when another one is done. Its texts may hold `{{outputs}}`, `{{title}}` and `{{task_id}}` of that one. */
export interface FollowUpSpec extends z.infer<z.ZodObject<typeof specFields>> {
  readonly delay_ms?: number | undefined;
  readonly follow_ups?: FollowUpSpec[] | undefined;
}
export const followUpSpecSchema: z.ZodType<FollowUpSpec> = z.lazy(() =>
  z.strictObject({
    ...specFields,
    delay_ms: z.int().min(0).optional(),
    follow_ups: z.array(followUpSpecSchema).optional(),
  }),
);

/** A task as it was accepted: every default is filled in, so that a later change of defaults changes no old task. */
export const taskSpecSchema = z.strictObject({
  ...specFields,
  follow_ups: z.array(followUpSpecSchema).optional(),
  /** Where in a trace it was asked for (W3C Trace Context); absent where nobody said. */
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

export const outputSchema = z.strictObject({
  type: z.enum(OUTPUT_TYPES),
  title: z.string(),
  content: z.string().optional(),
  content_file: contentReferenceSchema.optional(),
  summary: z.string().optional(),
  agent: z.string(),
});
export type Output = z.infer<typeof outputSchema>;

export const usageSchema = z.strictObject({
  input_tokens: z.number().optional(),
  output_tokens: z.number().optional(),
  cost_usd: z.number().optional(),
});
export type Usage = z.infer<typeof usageSchema>;
