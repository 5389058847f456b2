/** The values that keys of the configuration have in common. Each message says what is expected (G3 of config.ts). */
import { z } from 'zod';
import { ID_PATTERN } from './ids.ts';

/** A longer time is a slip of the pen, and a far longer one is no date at all. */
const LONGEST_SECONDS = 31_536_000;

/** What `review` may say. */
export const REVIEW_WORDS = ['manual', 'auto'] as const;

export function whole(min: number, max = Number.MAX_SAFE_INTEGER) {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  const error = `expected a whole number ${range}`;
  // Not z.int(): what it refuses keeps the checks of the objects around it from being told at the same time.
  return z.number(error).multipleOf(1, error).min(min, error).max(max, error).meta({ type: 'integer' });
}

export function seconds() {
  const error = `expected a number of seconds above 0, at most ${LONGEST_SECONDS}`;
  return z.number(error).positive(error).max(LONGEST_SECONDS, error);
}

const pathError = 'expected a path without "~" (it would not be expanded)';
/** A path; one that is not absolute is relative to the current directory. */
export const pathSchema = z.string(pathError).regex(/^[^~]/, pathError);

const reviewError = 'expected manual, auto, or the id of an agent';
export const reviewSchema = z
  .string(reviewError)
  .regex(ID_PATTERN, reviewError)
  .describe('Who looks at the outputs: manual (a person), auto (nobody), or the id of an agent.');

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
