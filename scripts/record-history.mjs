#!/usr/bin/env node
/**
 * Records the golden histories of this version (`npm run record-history`), or only the resulting states of the histories
 * of all versions (`npm run record-history -- --states`), or those of scenarios that are not released (`-- --unreleased`).
 */
import { spawnSync } from 'node:child_process';

const USAGE = 'usage: npm run record-history -- [--states | --unreleased]';
const args = process.argv.slice(2);
if (args.length > 1 || args.some((arg) => arg !== '--states' && arg !== '--unreleased')) {
  console.error(USAGE);
  process.exit(2);
}
const { status } = spawnSync('npx', ['vitest', 'run', 'test/histories/record.test.ts'], {
  stdio: 'inherit',
  env: { ...process.env, RECORD_HISTORY: args[0]?.slice(2) ?? 'all' },
});
process.exit(status ?? 1);
