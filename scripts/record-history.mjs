#!/usr/bin/env node
/**
 * Records the golden histories of this version (`npm run record-history`), or only the resulting states of the histories
 * of all versions (`npm run record-history -- --states`).
 */
import { spawnSync } from 'node:child_process';

const USAGE = 'usage: npm run record-history -- [--states]';
const args = process.argv.slice(2);
if (args.some((arg) => arg !== '--states')) {
  console.error(USAGE);
  process.exit(2);
}
const { status } = spawnSync('npx', ['vitest', 'run', 'test/histories/record.test.ts'], {
  stdio: 'inherit',
  env: { ...process.env, RECORD_HISTORY: args.includes('--states') ? 'states' : 'all' },
});
process.exit(status ?? 1);
