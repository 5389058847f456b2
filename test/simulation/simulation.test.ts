import { describe, expect, it } from 'vitest';
import { playScenario } from '../support/simulation/scenario.ts';

const SEEDS = Number(process.env.SIMULATION_SEEDS ?? 150);
const FIRST = Number(process.env.SIMULATION_SEED ?? 1);
const COUNT = process.env.SIMULATION_SEED === undefined ? SEEDS : 1;
const CHUNK = 25;

async function play(seed: number): Promise<void> {
  try {
    await playScenario(seed);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `seed ${seed}: ${message}\nreplay it: SIMULATION_SEED=${seed} npx vitest run test/simulation`,
      { cause },
    );
  }
}

describe('random stories', () => {
  for (let first = FIRST; first < FIRST + COUNT; first += CHUNK) {
    const last = Math.min(first + CHUNK, FIRST + COUNT) - 1;
    it(`break no invariant with seeds ${first} to ${last}`, { timeout: 300_000 }, async () => {
      for (let seed = first; seed <= last; seed++) await play(seed);
    });
  }

  it('are the same for the same seed', async () => {
    const [once, again] = [await playScenario(FIRST), await playScenario(FIRST)];
    expect(again).toEqual(once);
  });
});
