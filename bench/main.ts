/**
 * `npm run bench [-- --json FILE]`: every figure next to its limit, measured in the same run on the same machine.
 * Absolute rates depend on the machine; the ratios are what to compare.
 */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { bareRate, pipelineRate } from './append.ts';
import { openBenchEngine, runLifecycles } from './engine.ts';
import { bytesPerLiveTask } from './memory.ts';
import { readRates } from './replay.ts';
import { startBenchServer } from './server.ts';

interface Figure {
  readonly key: string;
  readonly value: number;
  readonly goal: string;
  readonly met: boolean;
  readonly note: string;
}

const EVENTS = 60_000;
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
  await runLifecycles(engine, 2_000, IN_FLIGHT);
  const seconds = await runLifecycles(engine, LIFECYCLES, IN_FLIGHT);
  const read = await readRates(await server.connect());
  await pipelineRate(engine, EVENTS / 10);
  const pipeline = await pipelineRate(engine, EVENTS);
  const bare = await bareRate(await server.connect(), EVENTS, read.bytesPerEvent);
  const liveTask = await bytesPerLiveTask(engine, LIVE_TASKS);

  add(
    'append_ratio',
    pipeline / bare,
    '>= 0.7',
    (value) => value >= 0.7,
    `${rate(pipeline)} events/s of ${rate(bare)} bare`,
  );
  const lifecycles = LIFECYCLES / seconds;
  add(
    'lifecycles_per_s',
    lifecycles,
    '>= 5000',
    (value) => value >= 5_000,
    `six events each, ${IN_FLIGHT} in flight`,
  );
  add(
    'lifecycle_ratio',
    (lifecycles * 6) / bare,
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

function rate(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
