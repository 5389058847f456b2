/** What is recorded of the usage of an attempt: with the source of its cost, so that a later change of prices changes no past. */
import { estimatedCost, type Prices } from '../../../contracts/prices.ts';
import {
  COST_UNITS_PER_USD,
  cleanUsage,
  costUnits,
  type ReportedUsage,
  type Usage,
} from '../../../contracts/usage.ts';

/**
 * A reported cost of 0 for tokens that were used is what tools print if they know no price: it counts as not reported.
 * @returns undefined if nothing was reported
 */
export function recordedUsage(reported: ReportedUsage | undefined, prices: Prices): Usage | undefined {
  const usage = cleanUsage(reported);
  if (usage === undefined) return undefined;
  const { cost_usd, ...rest } = usage;
  const used = (rest.input_tokens ?? 0) + (rest.output_tokens ?? 0);
  if (cost_usd !== undefined && (cost_usd > 0 || used === 0)) return { ...usage, cost_source: 'reported' };
  const estimated = estimatedCost(rest, prices);
  if (estimated === null) return { ...rest, cost_source: 'unknown' };
  return { ...rest, cost_usd: costUnits(estimated) / COST_UNITS_PER_USD, cost_source: 'estimated' };
}
