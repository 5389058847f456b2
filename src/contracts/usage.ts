/**
 * What an attempt has used: tokens, model, cost.
 *
 * The numbers mean the same for every agent: `input_tokens` are all tokens that the model has read, those from its cache
 * and those written to it included; `output_tokens` are all that it has written, its reasoning included. (In events of 0.1.0
 * they are what each program counts.)
 */
import { z } from 'zod';

/** Tokens of one attempt. More is a mistake, or an attempt to break the sums. */
const MAX_TOKENS = 1e12;
const MAX_COST_USD = 1e6;
export const MAX_MODEL_LENGTH = 100;

export const TOKEN_KEYS = [
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
] as const;

/** `reported` by the agent, `estimated` from the prices in the configuration, or `unknown`. */
export const COST_SOURCES = ['reported', 'estimated', 'unknown'] as const;
export type CostSource = (typeof COST_SOURCES)[number];

const numbers = {
  input_tokens: z.number().optional(),
  output_tokens: z.number().optional(),
  /** Of the input tokens, those that were read from the cache of the model. */
  cache_read_tokens: z.number().optional(),
  /** Of the input tokens, those that were written to it. */
  cache_write_tokens: z.number().optional(),
  cost_usd: z.number().optional(),
};

/** As it is in the log. */
export const usageSchema = z.strictObject({
  model: z.string().optional(),
  ...numbers,
  /** Absent in events of 0.1.0: then a cost was reported. */
  cost_source: z.enum(COST_SOURCES).optional(),
});
export type Usage = z.infer<typeof usageSchema>;

const tokens = z.number().min(0).max(MAX_TOKENS).optional();

/** As an agent reports it. */
export const reportedUsageSchema = z.strictObject({
  model: z.string().max(MAX_MODEL_LENGTH).optional(),
  input_tokens: tokens,
  output_tokens: tokens,
  cache_read_tokens: tokens,
  cache_write_tokens: tokens,
  cost_usd: z.number().min(0).max(MAX_COST_USD).optional(),
});
export type ReportedUsage = z.infer<typeof reportedUsageSchema>;

/** Input and output tokens together; null if one of them is not known. */
export function tokensOf(usage: Usage | null | undefined): number | null {
  const { input_tokens: input, output_tokens: output } = usage ?? {};
  return input === undefined || output === undefined ? null : countedTokens(input) + countedTokens(output);
}

/** A number of tokens as it counts in sums: whole, and neither negative nor absurd. */
export function countedTokens(given: number | undefined): number {
  return Math.round(limited(given ?? 0, MAX_TOKENS));
}

/** Billionths of a dollar: sums of them are exact. */
export function costUnits(usd: number): number {
  return Math.round(limited(usd, MAX_COST_USD) * COST_UNITS_PER_USD);
}
export const COST_UNITS_PER_USD = 1e9;

function limited(given: number, max: number): number {
  return Number.isFinite(given) ? Math.min(Math.max(given, 0), max) : 0;
}

/** What agents report, with names and numbers that others can rely on; undefined if nothing is left. */
export function cleanUsage(given: ReportedUsage | undefined): ReportedUsage | undefined {
  if (given === undefined) return undefined;
  const usage: ReportedUsage = {};
  const model = given.model
    ?.trim()
    .slice(0, MAX_MODEL_LENGTH)
    .replace(/[^!-~]/g, '_');
  if (model) usage.model = model;
  for (const key of TOKEN_KEYS) if (given[key] !== undefined) usage[key] = countedTokens(given[key]);
  if (given.cost_usd !== undefined) usage.cost_usd = costUnits(given.cost_usd) / COST_UNITS_PER_USD;
  return Object.keys(usage).length === 0 ? undefined : usage;
}
