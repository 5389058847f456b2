/** The vocabulary of budgets for a period, and a budget as it is stored in the log. Budgets of a task are in config-values.ts. */
import { z } from 'zod';
import { PERIODS } from '../../base/periods.ts';

export const limitsSchema = z.strictObject({
  tokens: z.number().optional(),
  cost_usd: z.number().optional(),
  attempts: z.number().optional(),
});
export type Limits = z.output<typeof limitsSchema>;

/** Without an agent and a project it is for everything. */
export const budgetSpecSchema = z.strictObject({
  period: z.enum(PERIODS),
  /** An IANA name. */
  zone: z.string(),
  project: z.string().optional(),
  agent: z.string().optional(),
  limits: limitsSchema,
  /** The share of a limit at which it warns. */
  warn_at: z.number(),
});
export type BudgetSpec = z.output<typeof budgetSpecSchema>;
