/** Values that the configuration and tasks have in common. Each message says what is expected. */
import { z } from 'zod';
import { ID_PATTERN } from './ids.ts';

/** One year. A longer time is a mistake. */
const LONGEST_SECONDS = 31_536_000;

/** The review modes. Any other value of `review` is the id of an agent. */
export const REVIEW_MODES = ['manual', 'auto'] as const;

export function isReviewMode(review: string): boolean {
  return REVIEW_MODES.some((mode) => mode === review);
}

export function whole(min: number, max = Number.MAX_SAFE_INTEGER) {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  const error = `expected a whole number ${range}`;
  // Not z.int(): if it fails, zod skips the checks of the surrounding objects, and their errors would be missing.
  return z.number(error).multipleOf(1, error).min(min, error).max(max, error).meta({ type: 'integer' });
}

/** A duration of the configuration; a text such as `5m` is read before (see config/durations.ts). */
export function seconds() {
  const error = `expected a number of seconds above 0, at most ${LONGEST_SECONDS}, or a time such as "90s", "5m" or "2h"`;
  return z.number(error).positive(error).max(LONGEST_SECONDS, error);
}

const pathError = 'expected a path without "~" (it would not be expanded)';
/** A path; one that is not absolute is relative to the current directory. */
export const pathSchema = z.string(pathError).regex(/^[^~]/, pathError);

const reviewError = 'expected manual, auto, or the id of an agent';
export const reviewSchema = z
  .string(reviewError)
  .regex(ID_PATTERN, reviewError)
  .describe('Who reviews the outputs: manual (a person), auto (no review), or the id of an agent.');

export const timeoutSchemas = {
  timeout_seconds: seconds().describe('How long one attempt may take.'),
  silence_timeout_seconds: seconds().describe('How long an attempt may show no output and no heartbeat.'),
  kill_grace_seconds: seconds().describe('Time between SIGTERM and SIGKILL.'),
};

const PRIORITY_WORDS = { low: 1, normal: 5, high: 10 } as const;

const priorityError = 'expected a whole number from 1 to 10, or low, normal or high';
/** 1 to 10, the highest first; the words `low`, `normal` and `high` mean 1, 5 and 10. */
export const prioritySchema = z.union(
  [
    z.int().min(1, priorityError).max(10, priorityError),
    z.enum(['low', 'normal', 'high']).transform((word): number => PRIORITY_WORDS[word]),
  ],
  priorityError,
);

/** Delay before retry n (1 is the first retry): `initial * factor^(n-1)`, at most `max`, plus or minus `jitter` (a share). */
export const backoffSchema = z.strictObject({
  initial_seconds: z.number().min(0).max(86_400).default(2),
  factor: z.number().min(1).max(10).default(2),
  max_seconds: z.number().min(0).max(604_800).default(300),
  jitter: z.number().min(0).max(1).default(0.2),
});
export type Backoff = z.infer<typeof backoffSchema>;

/** Limits of a task together with its children and follow-ups, checked before each attempt. */
export const budgetSchema = z.strictObject({
  attempts: z.int().min(1).optional(),
  tokens: z.int().min(1).optional(),
  cost_usd: z.number().positive().optional(),
  /** Running time of all attempts together. */
  wall_seconds: z.number().positive().optional(),
});
export type Budget = z.infer<typeof budgetSchema>;
