/** Budgets as text, for messages, the command line and the dashboard. */
import type { BudgetAnswer } from '../api/usage/budgets.ts';
import { costText, dollarText, tokensText } from '../usage-text.ts';
import type { BudgetSpec } from './budgets.ts';
import { MEASURES, type Measure } from './measures.ts';

/** As in `20,000 tokens`, `$5.00`, `12 attempts`. */
export function measureText(measure: Measure, amount: number): string {
  const text = amountText(measure, amount);
  if (measure === 'cost_usd') return text;
  return `${text} ${amount === 1 ? measure.slice(0, -1) : measure}`;
}

const amountText = (measure: Measure, amount: number): string =>
  measure === 'cost_usd' ? dollarText(amount) : Math.round(amount).toLocaleString('en');

/** What is used of a limit, as in `8,100 of 10,000 tokens` and `at least $4.20 of $5.00`. */
export function reachedText({
  measure,
  used,
  unknown,
  limit,
}: {
  readonly measure: Measure;
  readonly used: number;
  readonly unknown: number;
  readonly limit: number;
}): string {
  return `${unknown > 0 ? 'at least ' : ''}${amountText(measure, used)} of ${measureText(measure, limit)}`;
}

/** The same of all its limits, as in `8,100 of 10,000 tokens, unknown of $5.00`. */
export function budgetUseText({ limits, used, used_attempts }: BudgetAnswer): string {
  const texts = { tokens: tokensText(used), cost_usd: costText(used), attempts: String(used_attempts) };
  return MEASURES.flatMap((measure) => {
    const limit = limits[measure];
    return limit === undefined ? [] : `${texts[measure]} of ${measureText(measure, limit)}`;
  }).join(', ');
}

/** As in `agent coder`, `project shop`, `all agents`. */
export function scopeText({ agent, project }: Pick<BudgetSpec, 'agent' | 'project'>): string {
  if (agent !== undefined) return `agent ${agent}`;
  return project === undefined ? 'all agents' : `project ${project}`;
}
