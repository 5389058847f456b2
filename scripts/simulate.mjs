#!/usr/bin/env node
/** Runs the simulation with many seeds (`npm run simulate -- --seeds 1000`), or repeats one (`npm run simulate -- --seed 123`). */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const USAGE = 'usage: npm run simulate -- [--seeds COUNT] [--seed FIRST]';

function numberOf(name, text) {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return text;
  console.error(`--${name} ${text}: give a whole number from 1\n${USAGE}`);
  process.exit(2);
}

function read() {
  try {
    const { values } = parseArgs({ options: { seeds: { type: 'string' }, seed: { type: 'string' } } });
    return { seeds: numberOf('seeds', values.seeds), seed: numberOf('seed', values.seed) };
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

const { seeds, seed } = read();
const { status } = spawnSync('npx', ['vitest', 'run', 'test/simulation/simulation.test.ts'], {
  stdio: 'inherit',
  env: {
    ...process.env,
    SIMULATION_SEEDS: seeds ?? (seed === undefined ? '1000' : '1'),
    SIMULATION_SEED: seed ?? '1',
  },
});
process.exit(status ?? 1);
