/** Background commands: shell commands that run as supervised tasks, and whose results are fetched later. */
import { z } from 'zod';
import { seconds, whole } from '../config-values.ts';
import { digits, id, time } from '../fields.ts';
import { BACKGROUND_PROJECT } from '../ids.ts';

/** The built-in agent that runs background commands, and nothing else. */
export const BACKGROUND_AGENT = BACKGROUND_PROJECT;

/** Bytes of a command's output in the log and in answers; the file has more. */
export const OUTPUT_BYTES = 50_000;
/** Characters of the output in a notification. */
export const PREVIEW_LENGTH = 500;
export const DEFAULT_CURSOR = 'default';

export const backgroundConfigSchema = z.strictObject({
  concurrency: whole(1, 10_000).default(16).describe('Background commands that run at the same time.'),
  timeout_seconds: seconds().default(300).describe('How long a command may take, by default.'),
  max_output_bytes: whole(1).default(10_485_760).describe('How much of the output is kept, in bytes.'),
});
export type BackgroundConfig = z.output<typeof backgroundConfigSchema>;

export const runBackgroundSchema = z.strictObject({
  command: z
    .string()
    .max(100_000)
    .regex(/\S/, 'expected a command')
    .refine((text) => !text.includes('\0'), 'a command has no NUL')
    .describe('Run by /bin/sh; standard error is merged into standard output.'),
  cwd: z
    .string()
    .max(4_096)
    .regex(/^\/[^\0]*$/, 'expected an absolute path')
    .optional()
    .describe('The working directory, absolute. Default: an empty directory of its own.'),
  timeout_seconds: z
    .number()
    .positive()
    .max(31_536_000)
    .optional()
    .describe('After this time the command and everything it started is killed.'),
});
export type RunBackground = z.output<typeof runBackgroundSchema>;

/** The `params` of the task of a command. */
export const backgroundParamsSchema = runBackgroundSchema.pick({ command: true, cwd: true });

export const BACKGROUND_STATES = [
  'pending',
  'running',
  'completed',
  'failed',
  'timed_out',
  'killed',
  'cancelled',
  'spawn_failed',
  'lost',
] as const;
export type BackgroundState = (typeof BACKGROUND_STATES)[number];

export function isBackgroundState(text: string): text is BackgroundState {
  return BACKGROUND_STATES.some((state) => state === text);
}

export const backgroundAnswerSchema = z.strictObject({
  task_id: z.string(),
  /** `completed`: exit code 0. `failed`: any other. `lost`: it ended, but it is unknown how. */
  status: z.enum(BACKGROUND_STATES),
  command: z.string(),
  cwd: z.string().nullable(),
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  /** What went wrong, or null. */
  error: z.string().nullable(),
  /** The last part of the output; null before the end of the command. */
  output: z.string().nullable(),
  /** Bytes of the whole output; null before the end of the command. */
  output_bytes: z.int().nullable(),
  /** Whether `output` is only the last part. */
  truncated: z.boolean(),
  /** Path of the kept output on the machine of Signalbox; null before the start. */
  output_file: z.string().nullable(),
  /** Path of the result as JSON; null before the end. */
  result_file: z.string().nullable(),
  created_at: time,
  started_at: time.nullable(),
  finished_at: time.nullable(),
});
export type BackgroundAnswer = z.output<typeof backgroundAnswerSchema>;

export const startedBackgroundSchema = z.strictObject({
  task_id: z.string(),
  /** `Background task ID started: …` */
  message: z.string(),
});
export type StartedBackground = z.output<typeof startedBackgroundSchema>;

export const listBackgroundSchema = z.strictObject({
  limit: digits(1, 1_000).default(100).describe('How many, the newest first.'),
});

export const backgroundListSchema = z.strictObject({ tasks: z.array(backgroundAnswerSchema) });

export const drainSchema = z.strictObject({
  cursor: id.default(DEFAULT_CURSOR).describe('The name of a reader: each cursor gets every result once.'),
  drain_id: id
    .optional()
    .describe('Identifies this drain: repeating it gives the same answer, so a lost answer loses nothing.'),
  limit: z.int().min(1).max(100).default(20),
});
export type DrainRequest = z.output<typeof drainSchema>;

export const drainAnswerSchema = z.strictObject({
  cursor: z.string(),
  results: z.array(backgroundAnswerSchema),
  /** Whether more results are waiting. */
  more: z.boolean(),
  /** For a model: the `<background-results>` block; empty if there are no results. */
  text: z.string(),
});
export type DrainAnswer = z.output<typeof drainAnswerSchema>;
