/** Budgets as text, for messages, the command line and the dashboard. */
import type { BudgetSpec, Measure } from './budgets.ts';

/** As in `20,000 tokens`, `$5.00`, `12 attempts`. */
export function measureText(measure: Measure, amount: number): string {
  if (measure === 'cost_usd') return `$${amount.toFixed(2)}`;
  return `${Math.round(amount).toLocaleString('en')} ${measure}`;
}

/** As in `agent coder`, `project shop`, `all agents`. */
export function scopeText({ agent, project }: Pick<BudgetSpec, 'agent' | 'project'>): string {
  if (agent !== undefined) return `agent ${agent}`;
  return project === undefined ? 'all agents' : `project ${project}`;
}
