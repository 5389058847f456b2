/** The events of budgets for a period. Times are epoch milliseconds. */
import { z } from 'zod';
import { budgetSpecSchema, limitsSchema } from '../budgets/budgets.ts';
import { MEASURES } from '../budgets/measures.ts';
import { ADDRESS, event } from './event.ts';

const address = ADDRESS.budget;
const period = { from_ms: z.int(), until_ms: z.int() };
/** Which of its limits, and how much of it is used. */
const reached = {
  measure: z.enum(MEASURES),
  used: z.number(),
  /** Attempts of which it is not known what they have used: then it is at least so much. Absent if there are none. */
  unknown: z.int().optional(),
  limit: z.number(),
};

export const BUDGET_EVENTS = [
  /** It is new, or the configuration has changed it. Raises of the period end. */
  event({
    type: 'budget.set',
    moves: ['budget'],
    opens: 'budget',
    data: { ...address, spec: budgetSpecSchema },
  }),
  event({ type: 'budget.warned', moves: ['budget'], data: { ...address, ...period, ...reached } }),
  /** No attempt that it limits is started until the period ends, or a user raises it. */
  event({ type: 'budget.exhausted', moves: ['budget'], data: { ...address, ...period, ...reached } }),
  /** These limits are in force until the period ends. */
  event({
    type: 'budget.raised',
    moves: ['budget'],
    data: { ...address, ...period, limits: limitsSchema, reason: z.string().optional() },
  }),
  /** A new period has begun: its own limits are in force, and nothing is used. */
  event({ type: 'budget.renewed', moves: ['budget'], data: { ...address, from_ms: z.int() } }),
  event({ type: 'budget.removed', moves: ['budget'], data: { ...address, reason: z.string() } }),
] as const;
