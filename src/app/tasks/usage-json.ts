/** What attempts have used, as an answer. */
import type { UsageFigures } from '../../../projections/usage-figures.ts';
import type { UsageFiguresAnswer } from '../../contracts/api/usage/figures.ts';
import { COST_UNITS_PER_USD } from '../../contracts/usage.ts';

export function figuresJson(figures: UsageFigures): UsageFiguresAnswer {
  const { attempts, input, output, cacheRead, cacheWrite, cost, estimated } = figures;
  const { withoutTokens, withoutCost } = figures;
  return {
    attempts,
    tokens: isUnknown(attempts, withoutTokens) ? null : input + output,
    input_tokens: input,
    output_tokens: output,
    cache_read_tokens: cacheRead,
    cache_write_tokens: cacheWrite,
    cost_usd: isUnknown(attempts, withoutCost) ? null : cost / COST_UNITS_PER_USD,
    estimated_cost_usd: estimated / COST_UNITS_PER_USD,
    attempts_without_tokens: withoutTokens,
    attempts_without_cost: withoutCost,
  };
}

/** Whether a number is known of none of the attempts. */
function isUnknown(attempts: number, without: number): boolean {
  return attempts > 0 && without === attempts;
}
