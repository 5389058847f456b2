/**
 * Chaos for real, shortly; `npm run chaos -- --minutes 5` makes it long. `CHAOS_SECONDS` says how long, half of it in each
 * mode, `CHAOS_SEED` which plan, `CHAOS_REPORT` where to write what came of it (JSON, or else Markdown).
 */
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChaosResult, wreakHavoc } from '../support/chaos/chaos.ts';
import { reportOf } from '../support/chaos/report.ts';
import { MODES } from '../support/chaos/stage.ts';
import { builtCli } from '../support/process/build.ts';

const SECONDS = Number(process.env.CHAOS_SECONDS ?? 16) / MODES.length;
const SEED = Number(process.env.CHAOS_SEED ?? 1);
const REPORT = process.env.CHAOS_REPORT;
const TITLES = {
  embedded: 'with a NATS server of its own',
  standby: 'with a standby, beside a NATS server',
} as const;

describe.concurrent(`chaos with seed ${SEED}: kills and stops at random, for ${SECONDS} s`, () => {
  const results: ChaosResult[] = [];
  // The time in which a Signalbox has to be ready is not for compiling it.
  beforeAll(builtCli);

  for (const mode of MODES) {
    it(`loses nothing, runs nothing twice, leaves nothing behind and nothing stuck ${TITLES[mode]}`, {
      timeout: SECONDS * 2_000 + 240_000,
    }, async () => {
      const result = await wreakHavoc({ mode, seed: SEED, seconds: SECONDS });
      results.push(result);
      expect(result.violations).toEqual([]);
      // Otherwise nothing was shown.
      expect(result.blows['kill signalbox']).toBeGreaterThan(0);
      expect(result.log.attempts.completed).toBeGreaterThan(0);
    });
  }

  afterAll(async () => {
    if (REPORT === undefined) return;
    const text = REPORT.endsWith('.json') ? `${JSON.stringify(results, null, 2)}\n` : reportOf(results);
    await writeFile(REPORT, text);
  });
});
