/**
 * `npm run bench [-- --only dispatch,http] [--events 200000] [--json FILE] [--plots DIRECTORY]`: every figure next to its limit, measured in
 * the same run on the same machine. Absolute rates depend on the machine; the ratios are what to compare.
 */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { dashboard } from './dashboard.ts';
import { dispatch } from './dispatch.ts';
import { type Figure, lineOf, shown } from './figure.ts';
import { groupCommit } from './group-commit.ts';
import { growth } from './growth.ts';
import { http } from './http.ts';
import { restart } from './restart.ts';
import { startBenchServer } from './server.ts';
import { spawns } from './spawns.ts';
import { sse } from './sse.ts';
import { throughput } from './throughput.ts';
import { whole } from './whole.ts';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    events: { type: 'string', default: '1000000' },
    plots: { type: 'string' },
    json: { type: 'string' },
  },
});

/** In their order: what is sensitive to what ran before comes first. */
const BENCHES: Readonly<Record<string, () => Promise<Figure[]>>> = {
  dispatch,
  throughput,
  http,
  sse,
  dashboard,
  spawns,
  'group-commit': groupCommit,
  whole,
  restart: () => restart(Number(options.events)),
};

/** What takes long and has no goal: only where it is named. */
const ON_DEMAND: typeof BENCHES = { growth: () => growth(options.plots) };

const all = { ...BENCHES, ...ON_DEMAND };
const names = options.only?.split(',') ?? Object.keys(BENCHES);
const unknown = names.find((name) => !(name in all));
if (unknown !== undefined) throw new Error(`--only ${unknown}: there are ${Object.keys(all).join(', ')}`);

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
