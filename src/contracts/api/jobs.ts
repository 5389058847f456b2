/** The plain job API: the second vocabulary, for clients that know only jobs with a result. */
import { z } from 'zod';
import { prioritySchema } from '../config-values.ts';
import { ID_PATTERN } from '../ids.ts';
import { outputAnswerSchema } from './answers.ts';

/** Where the tasks of the plain job API live. */
export const JOB_PROJECT = 'default';

/** `created`: waits. `running`: an agent has it, or its result is looked at. The others are final. */
export const JOB_STATES = ['created', 'running', 'completed', 'failed', 'cancelled'] as const;
export type JobState = (typeof JOB_STATES)[number];

export const createJobSchema = z.strictObject({
  task_type: z
    .string()
    .regex(ID_PATTERN, 'use 1 to 64 characters of A-Z, a-z, 0-9, "_" and "-"')
    .describe('A capability: any agent that has it may take the task.'),
  description: z.string().trim().min(1).max(400_000).describe('What is to be done.'),
  parameters: z.record(z.string(), z.unknown()).optional().describe('For the agent, as they are.'),
  priority: prioritySchema.optional().describe('1 to 10, 10 first; or low, normal, high (1, 5, 10).'),
  timeout_seconds: z
    .number()
    .positive()
    .max(31_536_000)
    .optional()
    .describe('How long one attempt may take.'),
});
export type CreateJob = z.infer<typeof createJobSchema>;

/** The longest wait that a client may ask for: proxies cut connections that are silent for longer. */
export const MAX_WAIT_SECONDS = 60;

export const waitSchema = z.coerce
  .number()
  .min(0)
  .max(MAX_WAIT_SECONDS)
  .default(0)
  .describe(
    'Seconds to wait for news: with If-None-Match until there are some, without until the task is settled.',
  );

export const jobQuerySchema = z.strictObject({ wait: waitSchema });

const time = z.iso.datetime();

export const jobAnswerSchema = z.strictObject({
  task_id: z.string(),
  status: z.enum(JOB_STATES),
  /** In the words of the blackboard, which knows more states. */
  state: z.string(),
  task_type: z.string().nullable(),
  description: z.string(),
  parameters: z.record(z.string(), z.unknown()),
  priority: z.int(),
  timeout_seconds: z.number().nullable(),
  /** Tries so far. */
  attempts: z.int().min(0),
  /** What it came to; null until it is completed. */
  result: z
    .strictObject({
      /** The content of the newest output; null where that is a file, or where there is no output. */
      text: z.string().nullable(),
      outputs: z.array(outputAnswerSchema),
    })
    .nullable(),
  /** Why it came to nothing; null unless it failed or was cancelled. */
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
