/** Cost and tokens as text, for the command line and the dashboard. */
import type { UsageFiguresAnswer } from './api/usage/figures.ts';
import { costSourceOf } from './cost-source.ts';
import type { Usage } from './usage.ts';

type Cost = Pick<UsageFiguresAnswer, 'cost_usd' | 'attempts_without_cost'>;
type Tokens = Pick<UsageFiguresAnswer, 'tokens' | 'attempts_without_tokens'>;

/** As in `$1.23`, `at least $1.23`, `unknown`. */
export function costText({ cost_usd, attempts_without_cost }: Cost): string {
  if (cost_usd === null) return 'unknown';
  return `${attempts_without_cost > 0 ? 'at least ' : ''}${dollarText(cost_usd)}`;
}

/** As in `12,345`, `at least 12,345`, `unknown`. */
export function tokensText({ tokens, attempts_without_tokens }: Tokens): string {
  if (tokens === null) return 'unknown';
  return `${attempts_without_tokens > 0 ? 'at least ' : ''}${tokens.toLocaleString('en')}`;
}

/** The cost of one attempt, with its source: `$1.23`, `$1.23 (estimated)`, `unknown`. */
export function attemptCostText(usage: Usage | null): string {
  const source = costSourceOf(usage);
  if (source === 'unknown' || usage?.cost_usd === undefined) return 'unknown';
  return `${dollarText(usage.cost_usd)}${source === 'estimated' ? ' (estimated)' : ''}`;
}

/** Small amounts have more digits, so that none is shown as 0. */
export function dollarText(usd: number): string {
  if (usd === 0 || usd >= 1)
    return `$${usd.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  return `$${usd >= 0.0001 ? usd.toFixed(4) : usd.toPrecision(2)}`;
}
