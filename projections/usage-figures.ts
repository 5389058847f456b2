/** Sums of what attempts have used, exactly: tokens are whole numbers, costs billionths of a dollar. */

import { costSourceOf } from '../src/contracts/cost-source.ts';
import type { EventOf } from '../src/contracts/events/events.ts';
import { usesUpAttempt } from '../src/contracts/tasks.ts';
import { costUnits, countedTokens, tokensOf } from '../src/contracts/usage.ts';

export const FIGURES = [
  'attempts',
  'counted',
  'input',
  'output',
  'cacheRead',
  'cacheWrite',
  'cost',
  'estimated',
  'withoutTokens',
  'withoutCost',
] as const satisfies readonly (keyof UsageFigures)[];
export type Figure = (typeof FIGURES)[number];

export interface UsageFigures {
  attempts: number;
  /** Attempts that count as such: not those that met a used-up quota, for example. */
  counted: number;
  /** Tokens. */
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  /** Billionths of a dollar, as far as it is known. */
  cost: number;
  /** Of it, what was estimated from prices. */
  estimated: number;
  /** Attempts that have not reported their tokens. */
  withoutTokens: number;
  /** Attempts whose cost is not known. */
  withoutCost: number;
}

export function noFigures(): UsageFigures {
  return {
    attempts: 0,
    counted: 0,
    input: 0,
    output: 0,
    cacheRead: 0,
    cacheWrite: 0,
    cost: 0,
    estimated: 0,
    withoutTokens: 0,
    withoutCost: 0,
  };
}

/** One by one, because a loop over names takes five times as long, and answers add up a hundred thousand of them. */
export function addFigures(into: UsageFigures, more: UsageFigures): void {
  into.attempts += more.attempts;
  into.counted += more.counted;
  into.input += more.input;
  into.output += more.output;
  into.cacheRead += more.cacheRead;
  into.cacheWrite += more.cacheWrite;
  into.cost += more.cost;
  into.estimated += more.estimated;
  into.withoutTokens += more.withoutTokens;
  into.withoutCost += more.withoutCost;
}

/** Whether an attempt counts: one that never started has used nothing. */
export function hasUsed({ usage }: EventOf<'attempt.ended'>, hasStarted: boolean): boolean {
  return hasStarted || usage !== undefined;
}

/** The figures of one attempt. */
export function figuresOfEnd({ outcome, usage }: EventOf<'attempt.ended'>): UsageFigures {
  const source = costSourceOf(usage);
  const cost = source === 'unknown' ? 0 : costUnits(usage?.cost_usd ?? 0);
  return {
    attempts: 1,
    counted: usesUpAttempt(outcome) ? 1 : 0,
    input: countedTokens(usage?.input_tokens),
    output: countedTokens(usage?.output_tokens),
    cacheRead: countedTokens(usage?.cache_read_tokens),
    cacheWrite: countedTokens(usage?.cache_write_tokens),
    cost,
    estimated: source === 'estimated' ? cost : 0,
    withoutTokens: tokensOf(usage) === null ? 1 : 0,
    withoutCost: source === 'unknown' ? 1 : 0,
  };
}
