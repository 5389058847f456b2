/** Where the cost of an attempt comes from. Apart from its schemas: the dashboard loads none. */
import type { CostSource, Usage } from './usage.ts';

/** The source of the cost of an attempt that has ended. */
export function costSourceOf(usage: Usage | null | undefined): CostSource {
  return usage?.cost_source ?? (usage?.cost_usd === undefined ? 'unknown' : 'reported');
}
