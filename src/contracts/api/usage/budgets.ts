/** Budgets for a period: their configuration, and requests and answers about them. */
import { z } from 'zod';
import { PERIODS } from '../../../base/periods.ts';
import { limitsSchema } from '../../budgets/budgets.ts';
import { MEASURES } from '../../budgets/measures.ts';
import { count, id, time, zone } from '../../fields.ts';
import { decisionSchema } from '../requests.ts';
import { usageFiguresSchema } from './figures.ts';

const limits = {
  tokens: z
    .int()
    .min(1)
    .optional()
    .describe('Input and output tokens together, those of the cache included.'),
  cost_usd: z.number().positive().optional().describe('US dollars, as far as the cost is known.'),
  attempts: z.int().min(1).optional().describe('Attempts, those that run included.'),
};
type Given = { readonly [Key in keyof typeof limits]?: unknown };
const hasLimit = (given: Given): boolean => MEASURES.some((measure) => given[measure] !== undefined);
const LIMIT_NEEDED = {
  message: 'give at least one of "tokens", "cost_usd" and "attempts"',
  path: ['tokens'],
};

const SHARE = 'expected a share from 0.01 to 1, such as 0.8 for 80 %';

export const budgetConfigSchema = z
  .strictObject({
    period: z.enum(PERIODS).describe('A day, a week from Monday on, or a month.'),
    zone: zone.default('UTC').describe('The IANA time zone of the period.'),
    agent: id.optional().describe('The agent that it limits.'),
    project: id.optional().describe('The project that it limits. Default, without an agent: everything.'),
    ...limits,
    warn_at: z
      .number(SHARE)
      .min(0.01, SHARE)
      .max(1, SHARE)
      .default(0.8)
      .describe('The share of a limit at which it warns.'),
  })
  .refine(hasLimit, LIMIT_NEEDED)
  .refine(({ agent, project }) => agent === undefined || project === undefined, {
    message: 'give an agent or a project, not both',
    path: ['project'],
  });
export type BudgetConfig = z.output<typeof budgetConfigSchema>;

export const raiseBudgetSchema = decisionSchema.extend(limits).refine(hasLimit, LIMIT_NEEDED);
export type RaiseBudget = z.output<typeof raiseBudgetSchema>;

export const budgetAnswerSchema = z.strictObject({
  id: z.string(),
  agent: z.string().nullable(),
  project: z.string().nullable(),
  period: z.enum(PERIODS),
  zone: z.string(),
  /** `open`; `warned`; `exhausted`: no attempts are started. */
  status: z.string(),
  since: time,
  /** Of this period. */
  from: time,
  until: time,
  /** In this period; own ones, or in their place those that a user has raised. */
  limits: limitsSchema,
  warn_at: z.number(),
  /** Who has raised it in this period, and why. */
  raised_by: z.string().nullable(),
  reason: z.string().nullable(),
  /** What attempts have used that ended in this period. */
  used: usageFiguresSchema,
  /** Attempts that count for the limit. */
  used_attempts: count,
  /** Whether it holds back attempts now: it is exhausted, or the attempts that run are the last ones. */
  holds: z.boolean(),
});
export type BudgetAnswer = z.output<typeof budgetAnswerSchema>;
export const budgetListSchema = z.strictObject({ budgets: z.array(budgetAnswerSchema) });

/** A budget that has warned, or is used up. */
export const budgetNoticeSchema = z.strictObject({
  id: z.string(),
  /** `warned` or `exhausted`. */
  status: z.string(),
  /** One clause. */
  detail: z.string(),
  since: time,
  until: time,
});
export type BudgetNotice = z.output<typeof budgetNoticeSchema>;
