/** How much of a budget for a period is used. */
import type { UsageState } from '../../../../projections/index.ts';
import { visitUsage } from '../../../../projections/usage.ts';
import { addFigures, noFigures, type UsageFigures } from '../../../../projections/usage-figures.ts';
import type { Span } from '../../../base/periods.ts';
import type { BudgetSpec, Limits } from '../../../contracts/budgets/budgets.ts';
import type { Measure } from '../../../contracts/budgets/measures.ts';
import { COST_UNITS_PER_USD } from '../../../contracts/usage.ts';

type Scope = Pick<BudgetSpec, 'project' | 'agent'>;

/** Whether the attempts of an agent on tasks of a project count for a budget. */
export function isInScope(spec: Scope, of: { readonly project: string; readonly agent: string }): boolean {
  return (
    (spec.project === undefined || spec.project === of.project) &&
    (spec.agent === undefined || spec.agent === of.agent)
  );
}

/** What attempts have used that ended in a period. */
export function useIn(usage: UsageState, spec: Scope, { from, until }: Span): UsageFigures {
  const sum = noFigures();
  visitUsage(usage, from, until, (entry) => {
    if (isInScope(spec, entry)) addFigures(sum, entry);
  });
  return sum;
}

export function measured(figures: UsageFigures, measure: Measure): number {
  switch (measure) {
    case 'tokens':
      return figures.input + figures.output;
    case 'cost_usd':
      return figures.cost / COST_UNITS_PER_USD;
    case 'attempts':
      return figures.counted;
  }
}

/** Attempts of which it is not known what they have used. */
export function unmeasured(figures: UsageFigures, measure: Measure): number {
  switch (measure) {
    case 'tokens':
      return figures.withoutTokens;
    case 'cost_usd':
      return figures.withoutCost;
    case 'attempts':
      return 0;
  }
}

/** Its own limits, or the raised ones in their place. */
export function limitsInForce({ limits }: BudgetSpec, raised: Limits | null): Limits {
  return { ...limits, ...raised };
}
