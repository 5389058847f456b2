/**
 * Random runs of a whole Signalbox, each from a seed. `SIMULATION_SEEDS` says how many, `SIMULATION_SEED` which
 * is the first: repeat a failed one with `npm run simulate -- --seed <seed>`.
 */
import { describe, expect, it } from 'vitest';
import { playScenario } from '../support/simulation/scenario.ts';

const FIRST = Number(process.env.SIMULATION_SEED ?? 1);
const COUNT = Number(process.env.SIMULATION_SEEDS ?? 150);
const CHUNK = 25;

async function play(seed: number): Promise<void> {
  try {
    await playScenario(seed);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`seed ${seed}: ${message}\nplay it again: npm run simulate -- --seed ${seed}`, { cause });
  }
}

describe('random runs', () => {
  for (let first = FIRST; first < FIRST + COUNT; first += CHUNK) {
    const last = Math.min(first + CHUNK, FIRST + COUNT) - 1;
    it(`break no invariant (commit-order/in-log-order among them) with seeds ${first} to ${last}`, {
      timeout: 300_000,
    }, async () => {
      for (let seed = first; seed <= last; seed++) await play(seed);
    });
  }

  it('are the same for the same seed', { timeout: 60_000 }, async () => {
    const [once, again] = [await playScenario(FIRST), await playScenario(FIRST)];
    expect(again).toEqual(once);
  });
});
