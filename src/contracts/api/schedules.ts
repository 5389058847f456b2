/** Requests and answers about schedules. */
import { z } from 'zod';
import { cronFault } from '../../base/cron.ts';
import { id, time, zone } from '../fields.ts';
import { CATCH_UPS, FIRING_CAUSES, OVERLAPS } from '../schedules.ts';
import { followUpSchema } from './requests.ts';

const instant = z.iso.datetime({
  offset: true,
  error: 'expected a time with its zone, such as 2030-01-31T12:00:00Z',
});
const seconds = (max: number) => z.number().min(0).max(max);
const DAY_SECONDS = 86_400;

/** The fields of a schedule in the configuration, where its id is the key, and in requests. */
export const SCHEDULE_FIELDS = {
  cron: z
    .string()
    .max(200)
    .superRefine((pattern, context) => {
      const fault = cronFault(pattern);
      if (fault !== null) context.addIssue({ code: 'custom', message: fault });
    })
    .optional()
    .describe('Five fields (minute, hour, day of month, month, day of week), such as "0 9 * * 1-5".'),
  every_seconds: z
    .number()
    .min(10)
    .max(365 * DAY_SECONDS)
    .optional()
    .describe('A period, counted from 1970-01-01T00:00Z, so that an hour begins at a full hour.'),
  at: instant.optional().describe('One time.'),
  zone: zone.default('UTC').describe('The IANA time zone of "cron".'),
  jitter_seconds: seconds(DAY_SECONDS)
    .default(0)
    .describe('Each task is delayed by a random time, at most this long.'),
  overlap: z
    .enum(OVERLAPS)
    .default('skip')
    .describe('What happens at a time when the task of an earlier one is not settled.'),
  catch_up: z
    .enum(CATCH_UPS)
    .default('one')
    .describe('Of the times that passed while Signalbox was down: the last one, or all.'),
  catch_up_window_seconds: seconds(7 * DAY_SECONDS)
    .default(DAY_SECONDS)
    .describe('Times that passed longer ago are not made up for.'),
  pause_on_failure: z.boolean().default(false).describe('Pause the schedule when one of its tasks fails.'),
  project: id.default('default').describe('The project of its tasks.'),
  /** Its title and description may hold `{{nominal_time}}`, `{{nominal_date}}` and `{{schedule_id}}`. */
  task: followUpSchema,
};

type Times = Partial<Record<'cron' | 'every_seconds' | 'at', unknown>>;
export const oneRecurrence = ({ cron, every_seconds, at }: Times): boolean =>
  [cron, every_seconds, at].filter((each) => each !== undefined).length === 1;
export const RECURRENCE_NEEDED = {
  message: 'give exactly one of "cron", "every_seconds" and "at"',
  path: ['cron'],
};

export const scheduleConfigSchema = z.strictObject(SCHEDULE_FIELDS).refine(oneRecurrence, RECURRENCE_NEEDED);
export type ScheduleConfig = z.output<typeof scheduleConfigSchema>;

export const createScheduleSchema = z
  .strictObject({ id, ...SCHEDULE_FIELDS })
  .refine(oneRecurrence, RECURRENCE_NEEDED);
export type CreateSchedule = z.output<typeof createScheduleSchema>;

const dayOrInstant = z
  .string()
  .refine(
    (text) => [z.iso.date(), instant].some((schema) => schema.safeParse(text).success),
    'expected a day (2026-01-31), or a time with its zone (2026-01-31T12:00:00Z)',
  );

export const backfillSchema = z.strictObject({
  from: dayOrInstant.describe('The first day in the zone of the schedule, or the first time that counts.'),
  until: dayOrInstant.describe('The last day, or the last time that counts.'),
});
export type Backfill = z.output<typeof backfillSchema>;

export const scheduleAnswerSchema = z.strictObject({
  id: z.string(),
  project: z.string(),
  status: z.string().describe('active, paused, finished or removed.'),
  source: z.enum(['configuration', 'request']),
  cron: z.string().nullable(),
  every_seconds: z.number().nullable(),
  at: time.nullable(),
  zone: z.string(),
  jitter_seconds: z.number(),
  overlap: z.enum(OVERLAPS),
  catch_up: z.enum(CATCH_UPS),
  catch_up_window_seconds: z.number(),
  pause_on_failure: z.boolean(),
  title: z.string().describe('The title of its tasks, as it is written.'),
  agent: z.string().nullable(),
  type: z.string().nullable(),
  reason: z.string().nullable().describe('Why it is paused.'),
  by: z.string().nullable().describe('Who paused it; null if Signalbox did.'),
  next: z.array(time).describe('The next times; empty unless it is active.'),
  waiting: z.array(time).describe('Times that wait until the task before them is settled.'),
  runs: z
    .array(
      z.strictObject({
        nominal_time: time,
        cause: z.enum(FIRING_CAUSES),
        task: z.string(),
        task_status: z.string().nullable().describe('null for a task that has left memory.'),
        fired_at: time,
      }),
    )
    .describe('The newest runs, newest first.'),
  counts: z.strictObject({ fired: z.int(), skipped: z.int(), missed: z.int() }),
});
export type ScheduleAnswer = z.output<typeof scheduleAnswerSchema>;
export const scheduleListSchema = z.strictObject({ schedules: z.array(scheduleAnswerSchema) });

export const backfillAnswerSchema = z.strictObject({
  schedule: scheduleAnswerSchema,
  added: z.int().describe('Times that wait now.'),
  known: z.int().describe('Times that have a task already, and are left out.'),
});
export type BackfillAnswer = z.output<typeof backfillAnswerSchema>;
