import type { Usage } from '../../contracts/tasks.ts';
import type { FoundNumber } from './finders.ts';
import type { FoundUsage } from './reading.ts';

/**
 * What this attempt has used. A program that counts its whole session has the earlier attempts in its count.
 * @param before what those of the same session have used
 */
export function usageOf(found: FoundUsage, before: Usage | undefined): Usage | undefined {
  const own = (number: FoundNumber | undefined, earlier: number | undefined): number | undefined => {
    if (!number) return undefined;
    // A count below that of the earlier attempts has begun anew.
    if (!number.isCumulative || earlier === undefined || number.value < earlier) return number.value;
    return number.value - earlier;
  };
  const usage = {
    input_tokens: own(found.input_tokens, before?.input_tokens),
    output_tokens: own(found.output_tokens, before?.output_tokens),
    cost_usd: own(found.cost_usd, before?.cost_usd),
  };
  return Object.values(usage).every((each) => each === undefined) ? undefined : usage;
}
