/** Background commands: shell commands that run as supervised tasks, and whose results are fetched in passing. */
import { z } from 'zod';
import { seconds, whole } from '../config-values.ts';
import { BACKGROUND_PROJECT, ID_PATTERN } from '../ids.ts';

/** The built-in agent that runs them, and only them. */
export const BACKGROUND_AGENT = BACKGROUND_PROJECT;

/** Bytes of what a command has printed that go into the log and into answers; the file has more. */
export const OUTPUT_BYTES = 50_000;
/** Characters of it that a notification shows. */
export const PREVIEW_LENGTH = 500;
export const DEFAULT_CURSOR = 'default';

export const backgroundConfigSchema = z.strictObject({
  concurrency: whole(1, 10_000).default(16).describe('Background commands that run at the same time.'),
  timeout_seconds: seconds().default(300).describe('How long a command may take that says nothing else.'),
  max_output_bytes: whole(1).default(10_485_760).describe('How much of its output is kept, in bytes.'),
});
export type BackgroundConfig = z.output<typeof backgroundConfigSchema>;

const id = z.string().regex(ID_PATTERN, 'use 1 to 64 characters of A-Z, a-z, 0-9, "_" and "-"');

export const runBackgroundSchema = z.strictObject({
  command: z
    .string()
    .max(100_000)
    .regex(/\S/, 'expected a command')
    .refine((text) => !text.includes('\0'), 'a command has no NUL')
    .describe('For /bin/sh; standard error goes where standard output goes.'),
  cwd: z
    .string()
    .max(4_096)
    .regex(/^\/[^\0]*$/, 'expected an absolute path')
    .optional()
    .describe('Where to run it, absolute. Default: an empty directory of its own.'),
  timeout_seconds: z
    .number()
    .positive()
    .max(31_536_000)
    .optional()
    .describe('After this time it is killed with everything that it has started.'),
});
export type RunBackground = z.output<typeof runBackgroundSchema>;

/** What the task of a command carries as `params`. */
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

const time = z.iso.datetime();

export const backgroundAnswerSchema = z.strictObject({
  task_id: z.string(),
  /** `completed` is exit code 0, `failed` any other; `lost` is over, and nobody can say how. */
  status: z.enum(BACKGROUND_STATES),
  command: z.string(),
  cwd: z.string().nullable(),
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  /** What went wrong; null where nothing did. */
  error: z.string().nullable(),
  /** The end of what it has printed; null before its end. */
  output: z.string().nullable(),
  /** Bytes that it has printed altogether; null before its end. */
  output_bytes: z.int().nullable(),
  /** Whether `output` is only the end of it. */
  truncated: z.boolean(),
  /** Everything that is kept of it, on the machine of Signalbox; null before the start. */
  output_file: z.string().nullable(),
  /** The result as JSON, beside it; null before the end. */
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
  limit: z.coerce.number().int().min(1).max(1_000).default(100).describe('The newest so many.'),
});

export const backgroundListSchema = z.strictObject({ tasks: z.array(backgroundAnswerSchema) });

export const drainSchema = z.strictObject({
  cursor: id.default(DEFAULT_CURSOR).describe('Whose notifications: each cursor gets every result once.'),
  drain_id: id
    .optional()
    .describe('Names this drain: the same again gets the same answer, so that a lost one loses nothing.'),
  limit: z.int().min(1).max(100).default(20),
});
export type DrainRequest = z.output<typeof drainSchema>;

export const drainAnswerSchema = z.strictObject({
  cursor: z.string(),
  results: z.array(backgroundAnswerSchema),
  /** Whether there are more already. */
  more: z.boolean(),
  /** For a model: the `<background-results>` block; empty where nothing has finished. */
  text: z.string(),
});
export type DrainAnswer = z.output<typeof drainAnswerSchema>;
