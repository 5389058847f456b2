#!/usr/bin/env node
/** Kills processes at random under load, and checks the log: `npm run chaos -- --minutes 5 [--seed N] [--report FILE]`. */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const USAGE = 'usage: npm run chaos -- [--minutes NUMBER] [--seed NUMBER] [--report FILE.md | FILE.json]';

function read() {
  try {
    const option = { type: 'string' };
    const { values } = parseArgs({ options: { minutes: option, seed: option, report: option } });
    const minutes = Number(values.minutes ?? 5);
    const seed = Number(values.seed ?? randomInt(1, 1_000_000));
    if (!(minutes > 0 && minutes <= 1_440))
      throw new Error(`--minutes ${values.minutes}: give a number up to 1440`);
    if (!Number.isSafeInteger(seed) || seed < 1)
      throw new Error(`--seed ${values.seed}: give a whole number from 1`);
    return { minutes, seed, report: values.report };
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

const { minutes, seed, report } = read();
const temporary = mkdtempSync(join(tmpdir(), 'signalbox-chaos-report-'));
const file = report === undefined ? join(temporary, 'report.md') : resolve(report);
console.log(`seed ${seed}, ${minutes} minutes: half with an embedded nats-server, half with a standby`);
const { status } = spawnSync('npx', ['vitest', 'run', 'test/chaos/chaos.test.ts'], {
  stdio: 'inherit',
  env: { ...process.env, CHAOS_SECONDS: String(minutes * 60), CHAOS_SEED: String(seed), CHAOS_REPORT: file },
});
try {
  console.log(report === undefined ? readFileSync(file, 'utf8') : `the report is in ${file}`);
} catch {
  console.error('no report was written: the run failed');
}
rmSync(temporary, { recursive: true });
process.exit(status ?? 1);
