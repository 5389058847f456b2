/** What agents have used, by day, project, agent, model or task. */
import { z } from 'zod';
import { count, digits, id, time, zone } from '../../fields.ts';
import { MAX_MODEL_LENGTH } from '../../usage.ts';
import { usageFiguresSchema } from './figures.ts';

export const USAGE_KEYS = ['day', 'project', 'agent', 'model', 'task'] as const;
export type UsageKey = (typeof USAGE_KEYS)[number];

const MAX_KEYS = 2;
const MAX_ROWS = 1_000;

const byError = `expected one or two of ${USAGE_KEYS.join(', ')}, with a comma between`;
const bySchema = z
  .string(byError)
  .max(100)
  .transform((text) => text.split(',').map((each) => each.trim()))
  .pipe(
    z
      .array(z.enum(USAGE_KEYS, byError))
      .min(1)
      .max(MAX_KEYS, byError)
      .refine((keys) => new Set(keys).size === keys.length, byError),
  );

const MOMENT = 'a day of the zone (2026-11-30), a time (2026-11-30T12:00:00Z), or how long ago ("7d ago")';
const moment = z.string().min(1).max(64).optional();

export const readUsageSchema = z.strictObject({
  by: bySchema
    .prefault('day')
    .describe(`What the rows are for: one or two of ${USAGE_KEYS.join(', ')}, with a comma between.`),
  zone: zone.default('UTC').describe('The IANA time zone of the days.'),
  from: moment.describe(
    `Only attempts that ended from here on: ${MOMENT}. Times count to the quarter of an hour.`,
  ),
  to: moment.describe(`Only attempts that ended before; a day is counted to its end: ${MOMENT}.`),
  project: id.optional().describe('Only this project.'),
  agent: id.optional().describe('Only this agent.'),
  model: z.string().min(1).max(MAX_MODEL_LENGTH).optional().describe('Only this model.'),
  limit: digits(1, MAX_ROWS).default(100).describe('At most this many rows; the others are summed up.'),
  at: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe(
      'The usage as it was at a sequence (1234), at a time (2025-01-31T14:03:00Z), or some time ago ("10m ago").',
    ),
});
export type ReadUsage = z.output<typeof readUsageSchema>;

export const usageRowSchema = usageFiguresSchema.extend({
  /** As in `2026-11-30`. This and the next four are given if the rows are by it. */
  day: z.iso.date().optional(),
  project: z.string().optional(),
  agent: z.string().optional(),
  /** null if it is not known. */
  model: z.string().nullable().optional(),
  /** Of the project beside it; null for attempts so old that they are kept as sums. */
  task: z.string().nullable().optional(),
});
export type UsageRow = z.output<typeof usageRowSchema>;

export const usageAnswerSchema = z.strictObject({
  /** The last event that counts. */
  sequence: count,
  by: z.array(z.enum(USAGE_KEYS)),
  zone: z.string(),
  from: time.nullable(),
  to: time.nullable(),
  total: usageFiguresSchema,
  /** By day, oldest first; otherwise by cost and tokens, most first. */
  rows: z.array(usageRowSchema),
  /** The sums of further rows, beyond the limit; null if there are none. */
  rest: usageFiguresSchema.extend({ rows: z.int().min(1) }).nullable(),
});
export type UsageAnswer = z.output<typeof usageAnswerSchema>;
