/**
 * `npm run bench [-- --json FILE]`: every figure next to its limit, measured in the same run on the same machine.
 * Absolute rates depend on the machine; the ratios are what to compare.
 */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type AppendRates, appendRates } from './append.ts';
import { openBenchEngine, runLifecycles } from './engine.ts';
import { bytesPerLiveTask } from './memory.ts';
import { readRates } from './replay.ts';
import { startBenchServer } from './server.ts';
import { spawnRates } from './spawns.ts';
import { sseFigures } from './sse.ts';

interface Figure {
  readonly key: string;
  readonly value: number;
  readonly goal: string;
  readonly met: boolean;
  readonly note: string;
}

const EVENTS = 40_000;
const ROUNDS = 3;
const LIFECYCLES = 20_000;
const IN_FLIGHT = 256;
const LIVE_TASKS = 20_000;

const { values: options } = parseArgs({ options: { json: { type: 'string' } } });
const figures: Figure[] = [];

const server = await startBenchServer();
try {
  const connection = await server.connect();
  const engine = await openBenchEngine(connection, server.directory, IN_FLIGHT);

  console.log(`nats-server ${server.version}, node ${process.version}, ${cpus().length} cores`);
  await runLifecycles(engine, LIFECYCLES / 4, IN_FLIGHT);
  const lifecycles = LIFECYCLES / (await runLifecycles(engine, LIFECYCLES, IN_FLIGHT));
  const reader = await server.connect();
  await readRates(reader);
  const read = await readRates(reader);
  const publisher = await server.connect();
  await appendRates(engine, publisher, EVENTS / 4, read.bytesPerEvent);
  // Alternating, and the median: the machine does not give both the same at every moment.
  const rounds: AppendRates[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push(await appendRates(engine, publisher, EVENTS, read.bytesPerEvent));
  }
  const append = median(rounds, ({ pipeline, bare }) => pipeline / bare);
  const sse = await sseFigures(engine);
  const liveTask = await bytesPerLiveTask(engine, LIVE_TASKS);

  add(
    'append_ratio',
    append.pipeline / append.bare,
    '>= 0.7',
    (value) => value >= 0.7,
    `${rate(append.pipeline)} events/s of ${rate(append.bare)} bare`,
  );
  add(
    'lifecycles_per_s',
    lifecycles,
    '>= 5000',
    (value) => value >= 5_000,
    `six events each, ${IN_FLIGHT} in flight`,
  );
  add(
    'append_limit_ratio',
    append.pipeline / append.limit,
    '',
    () => true,
    `the same over a bare publisher without headers, ${rate(append.limit)} messages/s`,
  );
  add(
    'lifecycle_ratio',
    (lifecycles * 6) / append.bare,
    '',
    () => true,
    'events of lifecycles over the bare publisher',
  );
  add(
    'replay_ratio',
    read.replay / read.raw,
    '>= 0.4',
    (value) => value >= 0.4,
    `${rate(read.replay)} events/s of ${rate(read.raw)} raw, ${read.events} events`,
  );
  add('bytes_per_live_task', liveTask, '<= 10000', (value) => value <= 10_000, `${LIVE_TASKS} pending tasks`);
  add(
    'sse_events_per_s',
    sse.perSecond,
    '',
    () => true,
    `500 clients during ${rate(sse.tasksPerSecond)} tasks/s, ${rate(sse.events)} events sent`,
  );
  add(
    'sse_faults',
    sse.faults + sse.behind,
    '<= 0',
    (value) => value === 0,
    'missing, twice, or out of order',
  );
  add(
    'sse_memory_mb',
    sse.grownMb,
    '<= 150',
    (value) => value <= 150,
    'grown beyond what the same tasks take without clients',
  );
  add('sse_loop_p99_ms', sse.loopDelayP99, '<= 100', (value) => value <= 100, 'meanwhile');
  const spawns = await spawnRates();
  add(
    'spawns_per_s',
    spawns.perSecond,
    '>= 300',
    (value) => value >= 300,
    'started, watched and reaped, 32 at once',
  );
  add(
    'loop_delay_p99_ms',
    spawns.loopDelayP99,
    '<= 50',
    (value) => value <= 50,
    'while 50 processes a second are started',
  );
  await engine.stop('the bench is over');
} finally {
  await server.stop();
}

for (const { key, value, goal, met, note } of figures) {
  const shown = value >= 100 ? rate(value) : value.toFixed(2);
  console.log(
    `${key.padEnd(22)} ${shown.padStart(10)}  ${goal.padEnd(9)} ${goal === '' ? '    ' : met ? 'met ' : 'MISS'}  ${note}`,
  );
}
if (options.json !== undefined) {
  const report = { node: process.version, nats: server.version, cores: cpus().length, figures };
  await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
}

function add(
  key: string,
  value: number,
  goal: string,
  isMet: (value: number) => boolean,
  note: string,
): void {
  figures.push({ key, value, goal, met: isMet(value), note });
}

/** The round in the middle, by what is compared. */
function median<Round>(rounds: readonly Round[], of: (round: Round) => number): Round {
  const middle = [...rounds].sort((a, b) => of(a) - of(b))[Math.floor(rounds.length / 2)];
  if (middle === undefined) throw new Error('no round was measured');
  return middle;
}

function rate(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
