/** Prices of models, and the cost that follows from them. */
import { z } from 'zod';
import { countedTokens, MAX_MODEL_LENGTH, type ReportedUsage } from './usage.ts';

const error = 'expected US dollars for a million tokens, from 0 to 1000000';
const price = z.number(error).min(0, error).max(1_000_000, error);

export const priceSchema = z.strictObject({
  input: price.describe('US dollars for a million input tokens that are not in the cache.'),
  output: price.describe('US dollars for a million output tokens.'),
  cache_read: price
    .optional()
    .describe('For a million tokens that are read from the cache. Default: as input.'),
  cache_write: price.optional().describe('For a million tokens that are written to it. Default: as input.'),
});
type Price = z.output<typeof priceSchema>;

const nameError = `expected the name of a model, of 1 to ${MAX_MODEL_LENGTH} characters without spaces; it may end with "*"`;
export const pricesSchema = z.record(z.string().regex(/^[!-)+-~]{1,99}\*?$/, nameError), priceSchema);
export type Prices = Readonly<Record<string, Price>>;

/** The cost in US dollars; null if there is no price for its model, or its tokens are not known. */
export function estimatedCost(usage: ReportedUsage, prices: Prices): number | null {
  const { model, input_tokens: input, output_tokens: output } = usage;
  const price = model === undefined ? undefined : priceOf(prices, model);
  if (price === undefined || input === undefined || output === undefined) return null;
  const read = countedTokens(usage.cache_read_tokens);
  const written = countedTokens(usage.cache_write_tokens);
  const rest = Math.max(countedTokens(input) - read - written, 0);
  const { cache_read = price.input, cache_write = price.input } = price;
  const millions =
    rest * price.input + read * cache_read + written * cache_write + countedTokens(output) * price.output;
  return millions / 1_000_000;
}

/** The price of a model: under its own name, or under the longest beginning that ends with `*`. */
function priceOf(prices: Prices, model: string): Price | undefined {
  if (Object.hasOwn(prices, model)) return prices[model];
  let best = '';
  for (const name of Object.keys(prices)) {
    if (name.endsWith('*') && model.startsWith(name.slice(0, -1)) && name.length > best.length) best = name;
  }
  return prices[best];
}
