/**
 * `npm run bench [-- --only dispatch,http] [--events 200000] [--json FILE] [--plots DIRECTORY]` measures every figure and,
 * in the same run, its limit on this machine. Compare the ratios: absolute rates depend on the machine. `--peers` measures
 * other queues on the same work (bench/peers).
 */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { attempts } from './measure/attempts.ts';
import { dashboard } from './measure/dashboard.ts';
import { dispatch } from './measure/dispatch.ts';
import { groupCommit } from './measure/group-commit.ts';
import { growth } from './measure/growth.ts';
import { http } from './measure/http.ts';
import { peers } from './measure/peers.ts';
import { restart } from './measure/restart.ts';
import { spawns } from './measure/spawns.ts';
import { sse } from './measure/sse.ts';
import { start } from './measure/start.ts';
import { throughput } from './measure/throughput.ts';
import { usage } from './measure/usage.ts';
import { whole } from './measure/whole.ts';
import { type Figure, lineOf, shown } from './support/figure.ts';
import { startBenchServer } from './support/server.ts';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    events: { type: 'string', default: '1000000' },
    plots: { type: 'string' },
    json: { type: 'string' },
    peers: { type: 'boolean', default: false },
  },
});

/** In this order, because the first ones are sensitive to what ran before. */
const BENCHES: Readonly<Record<string, () => Promise<Figure[]>>> = {
  dispatch,
  throughput,
  http,
  sse,
  dashboard,
  spawns,
  attempts,
  start,
  usage,
  'group-commit': groupCommit,
  whole,
  restart: () => restart(Number(options.events)),
};

/** Run only if named by `--only`, or with `--peers`: slow and without a goal, or in need of other programs. */
const ON_DEMAND: typeof BENCHES = { growth: () => growth(options.plots), peers };

const all = { ...BENCHES, ...ON_DEMAND };
const names = options.only?.split(',') ?? (options.peers ? [] : Object.keys(BENCHES));
if (options.peers) names.push('peers');
const unknown = names.find((name) => !(name in all));
if (unknown !== undefined)
  throw new Error(`--only ${unknown}: unknown, expected ${Object.keys(all).join(', ')}`);

const server = await startBenchServer();
const machine = {
  node: process.version,
  nats: server.version,
  cores: cpus().length,
  cpu: cpus()[0]?.model ?? 'unknown',
  commit: commit(),
  load: loadavg()[0] ?? 0,
};
await server.stop();
console.log(
  `nats-server ${machine.nats}, node ${machine.node}, ${machine.cores} cores (${machine.cpu}), load ${shown(machine.load)} before the start`,
);

const figures: Figure[] = [];
for (const [name, measure] of Object.entries(all)) {
  if (!names.includes(name)) continue;
  for (const figure of await measure()) {
    figures.push(figure);
    console.log(lineOf(figure));
  }
}
if (options.json !== undefined) {
  const rows = figures.map(({ key, value, goal, note }) => ({
    key,
    value,
    goal: goal?.text ?? null,
    met: goal === null ? null : goal.isMet(value),
    note,
  }));
  await writeFile(options.json, `${JSON.stringify({ machine, figures: rows }, null, 2)}\n`);
}

function commit(): string | null {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}
