/** Sums of what attempts have used, as answers. */
import { z } from 'zod';
import { count } from '../../fields.ts';

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
