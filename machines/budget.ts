/**
 * A budget for a period: it warns, and then starts no attempts until the period ends or a user raises it. How much is
 * used is counted from the attempts (projections/usage.ts); the machine only says what was decided about it.
 */
import { assign, setup } from 'xstate';
import type { BudgetSpec, Limits } from '../src/contracts/budgets/budgets.ts';
import type { EventMoving, EventOf } from '../src/contracts/events/events.ts';

export interface BudgetContext {
  /** null before the first event. */
  readonly spec: BudgetSpec | null;
  /** Limits in place of its own, in this period. */
  readonly raised: Limits | null;
  /** Epoch milliseconds: the beginning of the period that it was last decided about. */
  readonly from: number;
}

export function openBudget({ spec }: EventOf<'budget.set'>): BudgetContext {
  return { spec, raised: null, from: 0 };
}

const set = { 'budget.set': { target: 'open', actions: 'describe' } } as const;
const raise = { 'budget.raised': { target: 'open', actions: 'raise' } } as const;
const exhaust = { 'budget.exhausted': { target: 'exhausted', actions: 'note' } } as const;
const renew = { 'budget.renewed': { target: 'open', actions: 'renew' } } as const;
const remove = { 'budget.removed': { target: 'removed' } } as const;

export const budgetMachine = setup({
  types: { context: {} as BudgetContext, events: {} as EventMoving<'budget'> },
  actions: {
    describe: assign(({ event }) =>
      event.type === 'budget.set' ? { spec: event.spec, raised: null, from: 0 } : {},
    ),
    raise: assign(({ event }) =>
      event.type === 'budget.raised' ? { raised: event.limits, from: event.from_ms } : {},
    ),
    note: assign(({ event }) =>
      event.type === 'budget.warned' || event.type === 'budget.exhausted' ? { from: event.from_ms } : {},
    ),
    renew: assign(({ event }) =>
      event.type === 'budget.renewed' ? { raised: null, from: event.from_ms } : {},
    ),
  },
}).createMachine({
  id: 'budget',
  initial: 'new',
  context: { spec: null, raised: null, from: 0 },
  states: {
    new: { on: set },
    open: {
      on: {
        ...set,
        ...raise,
        ...exhaust,
        ...renew,
        ...remove,
        'budget.warned': { target: 'warned', actions: 'note' },
      },
    },
    warned: { on: { ...set, ...raise, ...exhaust, ...renew, ...remove } },
    exhausted: { on: { ...set, ...raise, ...renew, ...remove } },
    removed: { on: set },
  },
});
