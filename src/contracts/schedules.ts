/** The vocabulary of schedules, and a schedule as it is stored in the log. */
import { z } from 'zod';
import { followUpSpecSchema } from './tasks.ts';

/** What happens at a time of a schedule whose last task is not settled yet. */
export const OVERLAPS = ['skip', 'buffer_one', 'buffer_all', 'allow_all', 'cancel_other'] as const;
export type Overlap = (typeof OVERLAPS)[number];

/** How many of the times that passed while Signalbox was down, and lie in the catch-up window, are made up for. */
export const CATCH_UPS = ['one', 'all'] as const;

/** Why a task was created for a time. */
export const FIRING_CAUSES = ['time', 'catch_up', 'buffer', 'trigger'] as const;
export type FiringCause = (typeof FIRING_CAUSES)[number];

/** What the texts of a task may hold, in double braces: the time that it is for, its day in the zone, and the schedule. */
export const PLACEHOLDERS = ['nominal_time', 'nominal_date', 'schedule_id'] as const;

/** The most times that wait in a buffer, that a catch-up makes up for, and that a backfill may cover. */
export const MAX_BUFFERED = 1_000;

/** When: times are epoch milliseconds. `every` counts from the epoch, so that an hour begins at a full hour. */
export const recurrenceSchema = z.union([
  z.strictObject({ kind: z.literal('cron'), cron: z.string() }),
  z.strictObject({ kind: z.literal('every'), every_ms: z.int().min(1) }),
  z.strictObject({ kind: z.literal('at'), at_ms: z.int() }),
]);
export type Recurrence = z.output<typeof recurrenceSchema>;

/** A schedule as it was accepted, with every default. */
export const scheduleSpecSchema = z.strictObject({
  project: z.string(),
  recurrence: recurrenceSchema,
  /** An IANA name. */
  zone: z.string(),
  /** A task is created up to so much later than its time. */
  jitter_ms: z.int().min(0),
  overlap: z.enum(OVERLAPS),
  catch_up: z.enum(CATCH_UPS),
  catch_up_window_ms: z.int().min(0),
  /** Whether it pauses when one of its tasks fails. */
  pause_on_failure: z.boolean(),
  /** Its texts may hold `{{nominal_time}}`, `{{nominal_date}}` and `{{schedule_id}}`. */
  task: followUpSpecSchema,
});
export type ScheduleSpec = z.output<typeof scheduleSpecSchema>;
