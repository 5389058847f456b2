/**
 * A short run of chaos against real processes; `npm run chaos -- --minutes 5` makes it long. Set `CHAOS_SECONDS` to the
 * duration of both modes together, `CHAOS_SEED` to the seed of the plan, and `CHAOS_REPORT` to a file for the report
 * (JSON, or else Markdown).
 */
import { writeFile } from 'node:fs/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { type ChaosResult, wreakHavoc } from '../support/chaos/chaos.ts';
import { reportOf } from '../support/chaos/report.ts';
import { MODES } from '../support/chaos/stage.ts';

const SECONDS = Number(process.env.CHAOS_SECONDS ?? 16) / MODES.length;
/** A short run has both modes at the same time; a long one measures takeovers on a machine that does nothing else. */
const IS_SHORT = SECONDS <= 10;
const SEED = Number(process.env.CHAOS_SEED ?? 1);
const REPORT = process.env.CHAOS_REPORT;
const TITLES = {
  embedded: 'with an embedded NATS server',
  standby: 'with a standby and an external NATS server',
} as const;

describe(`chaos with seed ${SEED}: random kills and stops for ${SECONDS} s`, { concurrent: IS_SHORT }, () => {
  const results: ChaosResult[] = [];

  for (const mode of MODES) {
    it(`journal/nothing-lost, attempts/started-at-most-once, attempts/ended-for-certain: hold ${TITLES[mode]}`, {
      timeout: SECONDS * 2_000 + 240_000,
    }, async () => {
      const result = await wreakHavoc({ mode, seed: SEED, seconds: SECONDS });
      results.push(result);
      expect(result.violations).toEqual([]);
      // Without these, the run proves nothing.
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
