import { describe, expect, it } from 'vitest';
import { pricesSchema } from '../../../src/contracts/prices.ts';
import { cleanUsage } from '../../../src/contracts/usage.ts';
import { recordedUsage } from '../../../src/engine/supervisor/usage/recorded-usage.ts';

const PRICES = pricesSchema.parse({
  'opus-5': { input: 10, output: 50, cache_read: 1, cache_write: 12 },
  'opus-*': { input: 5, output: 25 },
  'o*': { input: 1, output: 1 },
});
const TOKENS = { input_tokens: 1_000, output_tokens: 100, cache_read_tokens: 800, cache_write_tokens: 100 };

describe('what is recorded of a usage', () => {
  it.each<[string, object, object]>([
    ['takes the cost that is reported', { cost_usd: 0.5 }, { cost_usd: 0.5, cost_source: 'reported' }],
    [
      'estimates a cost from the prices of the model and its cache',
      { model: 'opus-5' },
      { cost_usd: (100 * 10 + 800 * 1 + 100 * 12 + 100 * 50) / 1e6, cost_source: 'estimated' },
    ],
    [
      'takes the price with the longest beginning',
      { model: 'opus-4' },
      { cost_usd: (1_000 * 5 + 100 * 25) / 1e6, cost_source: 'estimated' },
    ],
    [
      'does not believe a cost of 0',
      { model: 'opus-5', cost_usd: 0 },
      { cost_usd: 0.008, cost_source: 'estimated' },
    ],
    ['knows no cost without a price', { model: 'gpt-6' }, { cost_source: 'unknown' }],
    ['knows no cost of 0 without a price', { cost_usd: 0 }, { cost_source: 'unknown' }],
  ])('%s', (_, reported, recorded) => {
    const { model } = reported as { model?: string };
    const usage = recordedUsage({ ...TOKENS, ...reported }, PRICES);
    expect(usage).toEqual({ ...(model !== undefined && { model }), ...TOKENS, ...recorded });
  });

  it('knows no cost if a number of tokens is missing, and nothing if nothing was reported', () => {
    expect(recordedUsage({ model: 'opus-5', output_tokens: 5 }, PRICES)?.cost_source).toBe('unknown');
    expect(recordedUsage(undefined, PRICES)).toBeUndefined();
    expect(recordedUsage({}, PRICES)).toBeUndefined();
  });

  it('believes no number and no name that an agent cannot mean', () => {
    const usage = {
      model: `\u001b[31m${'x'.repeat(70_000)}`,
      input_tokens: -5,
      output_tokens: 1e300,
      cost_usd: 1e300,
    };
    expect(cleanUsage(usage)).toEqual({
      model: `_[31m${'x'.repeat(95)}`,
      input_tokens: 0,
      output_tokens: 1e12,
      cost_usd: 1e6,
    });
  });

  it('costs what the rest of the input costs if more was cached than read', () => {
    const lie = { model: 'opus-5', input_tokens: 10, output_tokens: 0, cache_read_tokens: 1_000 };
    expect(recordedUsage(lie, PRICES)?.cost_usd).toBe(0.001);
  });
});
