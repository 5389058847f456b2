/** The plain job API: the second vocabulary, for clients that know only jobs with a result. */
import { z } from 'zod';
import { prioritySchema } from '../config-values.ts';
import { digits, id, time } from '../fields.ts';
import { outputAnswerSchema } from './answers.ts';

/** The project of the plain job API. */
export const JOB_PROJECT = 'default';

/** `created`: waits. `running`: an agent works on it, or it is in review. The others are final. */
export const JOB_STATES = ['created', 'running', 'completed', 'failed', 'cancelled'] as const;
export type JobState = (typeof JOB_STATES)[number];

export const createJobSchema = z.strictObject({
  task_type: id.describe('A capability: any agent with it may take the task.'),
  description: z.string().trim().min(1).max(400_000).describe('What to do.'),
  parameters: z.record(z.string(), z.unknown()).optional().describe('Passed to the agent as they are.'),
  priority: prioritySchema.optional().describe('1 to 10, 10 first; or low, normal, high (1, 5, 10).'),
  timeout_seconds: z
    .number()
    .positive()
    .max(31_536_000)
    .optional()
    .describe('How long one attempt may take.'),
});
export type CreateJob = z.infer<typeof createJobSchema>;

/** The longest wait that a client may ask for: proxies close connections that are idle for longer. */
export const MAX_WAIT_SECONDS = 60;

export const waitSchema = digits(0, MAX_WAIT_SECONDS)
  .default(0)
  .describe('Seconds to wait: with If-None-Match for a change, without it until the task is settled.');

export const jobQuerySchema = z.strictObject({ wait: waitSchema });

export const jobAnswerSchema = z.strictObject({
  task_id: z.string(),
  status: z.enum(JOB_STATES),
  /** The status of the task, which has more values. */
  task_status: z.string(),
  task_type: z.string().nullable(),
  description: z.string(),
  parameters: z.record(z.string(), z.unknown()),
  priority: z.int(),
  timeout_seconds: z.number().nullable(),
  /** Attempts so far. */
  attempts: z.int().min(0),
  /** The result; null until it is completed. */
  result: z
    .strictObject({
      /** The content of the newest output; null if that is a file, or if there is no output. */
      text: z.string().nullable(),
      outputs: z.array(outputAnswerSchema),
    })
    .nullable(),
  /** Why it has no result; null unless it failed or was cancelled. */
  error: z
    .strictObject({
      /** `cancelled`, `expired`, or how the last attempt ended: `failed`, `timed_out`, `killed`, … */
      code: z.string(),
      message: z.string(),
    })
    .nullable(),
  created_at: time,
  started_at: time.nullable(),
  finished_at: time.nullable(),
});
export type JobAnswer = z.output<typeof jobAnswerSchema>;
