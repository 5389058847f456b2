/** How much is done and how long it takes, minute by minute. */
import { z } from 'zod';
import { count, digits, id, time } from '../fields.ts';

/** Minutes that are kept. */
const MINUTES_MAX = 1_440;

export const readThroughputSchema = z.strictObject({
  minutes: digits(1, MINUTES_MAX)
    .default(60)
    .describe('How many minutes, up to the current one; at most a day.'),
  project: id.optional().describe('Only this project. Default: all projects.'),
});
export type ReadThroughput = z.output<typeof readThroughputSchema>;

/** Quantiles in milliseconds, exact to a sixteenth; null if there is nothing to measure. */
const quantilesSchema = z.strictObject({ p50: count, p95: count, p99: count }).nullable();

export const throughputSchema = z.strictObject({
  bucket_seconds: z.literal(60),
  /** The start of the first bucket and the end of the last one, which is not complete yet. */
  from: time,
  to: time,
  /** One for each minute, the oldest first. */
  buckets: z.array(
    z.strictObject({
      /** Its start. */
      time,
      /** Tasks. */
      created: count,
      /** Attempts. */
      started: count,
      /** Tasks that became done. */
      completed: count,
      /** Tasks that failed for good, or expired. */
      failed: count,
      /** Tasks that will be tried again: after a failed attempt, a rejection or a redrive. */
      retried: count,
      cancelled: count,
      /** From when a task could run to the start of its attempt, for the attempts that started in this minute. */
      waiting_ms: quantilesSchema,
      /** From start to end, for the attempts that ended in this minute. */
      running_ms: quantilesSchema,
    }),
  ),
});
export type ThroughputAnswer = z.output<typeof throughputSchema>;
