/** Sums of what attempts have used, as answers and as text. */
import { z } from 'zod';
import { count } from '../../fields.ts';
import { costSourceOf, type Usage } from '../../usage.ts';

/** Sums. What is not known is never counted as 0 silently: the last two fields say how many attempts it is missing of. */
export const usageFiguresSchema = z.strictObject({
  /** Attempts that have started and ended. */
  attempts: count,
  /** Input and output tokens together; null if no attempt has reported its tokens. */
  tokens: count.nullable(),
  /** All tokens that models have read, those of the cache included. */
  input_tokens: count,
  output_tokens: count,
  /** Of the input tokens: read from the cache, and written to it. */
  cache_read_tokens: count,
  cache_write_tokens: count,
  /** null if the cost of no attempt is known. */
  cost_usd: z.number().min(0).nullable(),
  /** Of the cost: what was estimated from the prices in the configuration. */
  estimated_cost_usd: z.number().min(0),
  /** If not 0, the tokens are at least those given. */
  attempts_without_tokens: count,
  /** If not 0, the cost is at least the one given. */
  attempts_without_cost: count,
});
export type UsageFiguresAnswer = z.output<typeof usageFiguresSchema>;

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
