/** How much is done and how long it takes, minute by minute, for who draws it. */
import { z } from 'zod';
import { ID_PATTERN } from '../ids.ts';

const time = z.iso.datetime();
const count = z.int().min(0);

/** Minutes that are kept at all. */
const MINUTES_MAX = 1_440;

export const readThroughputSchema = z.strictObject({
  minutes: z.coerce
    .number()
    .int()
    .min(1)
    .max(MINUTES_MAX)
    .default(60)
    .describe('How many, up to the present one; a day at most.'),
  project: z.string().regex(ID_PATTERN).optional().describe('Only of this one; all where it is absent.'),
});
export type ReadThroughput = z.output<typeof readThroughputSchema>;

/** Milliseconds that half, 95 and 99 of a hundred do not exceed, to a sixteenth; null where there was nothing to measure. */
const quantilesSchema = z.strictObject({ p50: count, p95: count, p99: count }).nullable();

export const throughputSchema = z.strictObject({
  bucket_seconds: z.literal(60),
  /** The beginning of the first bucket and the end of the last one, which is still filling. */
  from: time,
  to: time,
  /** One for each minute, the oldest first. */
  buckets: z.array(
    z.strictObject({
      /** Its beginning. */
      time,
      /** Tasks. */
      created: count,
      /** Attempts. */
      started: count,
      /** Tasks that came to be done. */
      completed: count,
      /** Tasks that failed for good, or expired. */
      failed: count,
      /** Tasks that are to be tried again: after an attempt that came to nothing, a rejection, or by a redrive. */
      retried: count,
      cancelled: count,
      /** From when a task could run to the start of its attempt; of the attempts that started in this minute. */
      waiting_ms: quantilesSchema,
      /** From its start to its end; of the attempts that ended in this minute. */
      running_ms: quantilesSchema,
    }),
  ),
});
export type ThroughputAnswer = z.output<typeof throughputSchema>;
