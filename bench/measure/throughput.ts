/** Writing and reading the log, compared with what JetStream achieves in the same run. */
import { type AppendRates, appendRates, bareLifeRate } from '../support/append.ts';
import { openBenchEngine, runLifecycles } from '../support/engine.ts';
import { atLeast, atMost, type Figure, medianBy, shown } from '../support/figure.ts';
import { bytesPerLiveTask } from '../support/memory.ts';
import { type ReadRates, readRates } from '../support/replay.ts';
import { startBenchServer } from '../support/server.ts';

const EVENTS = 40_000;
const ROUNDS = 3;
const LIFECYCLES = 20_000;
const IN_FLIGHT = 256;
const LIVE_TASKS = 20_000;

export async function throughput(): Promise<Figure[]> {
  const server = await startBenchServer();
  try {
    const engine = await openBenchEngine(await server.connect(), server.directory, IN_FLIGHT);
    await runLifecycles(engine, LIFECYCLES / 4, IN_FLIGHT);
    const before = engine.projections.sequence;
    const cpuBefore = process.cpuUsage();
    const lifecycles = LIFECYCLES / (await runLifecycles(engine, LIFECYCLES, IN_FLIGHT));
    const cpu = process.cpuUsage(cpuBefore);
    const cpuPerLife = (cpu.user + cpu.system) / LIFECYCLES;
    const messages = Math.round((engine.projections.sequence - before) / LIFECYCLES);
    const reader = await server.connect();
    await readRates(server, reader);
    const reads: ReadRates[] = [];
    for (let round = 0; round < ROUNDS; round++) reads.push(await readRates(server, reader));
    const read = medianBy(reads, ({ replay, raw }) => replay / raw);
    const publisher = await server.connect();
    await appendRates(engine, publisher, EVENTS / 4, read.bytesPerEvent);
    // Alternating rounds and their median, because the speed of the machine varies.
    const rounds: AppendRates[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push(await appendRates(engine, publisher, EVENTS, read.bytesPerEvent));
    }
    const append = medianBy(rounds, ({ pipeline, bare }) => pipeline / bare);
    const life = { messages, bytes: read.bytesPerEvent };
    await bareLifeRate(publisher, LIFECYCLES / 4, IN_FLIGHT, life);
    const bareLives = await bareLifeRate(publisher, LIFECYCLES, IN_FLIGHT, life);
    const liveTask = await bytesPerLiveTask(engine, LIVE_TASKS);
    await engine.stop('the bench is over');
    return [
      {
        key: 'append_ratio',
        value: append.pipeline / append.bare,
        goal: atLeast(0.8),
        note: `${shown(append.pipeline)} events/s; a bare publisher with the same bytes and headers: ${shown(append.bare)}`,
      },
      {
        key: 'append_limit_ratio',
        value: append.pipeline / append.limit,
        goal: null,
        note: `over a bare publisher without headers (${shown(append.limit)} messages/s)`,
      },
      {
        key: 'lifecycles_per_s',
        value: lifecycles,
        goal: null,
        note: `${messages} messages each, ${IN_FLIGHT} in flight, ${shown(cpuPerLife)} µs of processor time each`,
      },
      {
        key: 'limit_ratio',
        value: lifecycles / bareLives,
        goal: atLeast(0.7),
        note: `lives/s over a bare lean program that stores as many messages of ${shown(life.bytes)} bytes a task (${shown(bareLives)} lives/s)`,
      },
      {
        key: 'lifecycle_cpu_ratio',
        value: cpuPerLife / (1_000_000 / append.limit),
        goal: atMost(8),
        note: `processor time of a life over the time of one bare lean publish (${shown(1_000_000 / append.limit)} µs)`,
      },
      {
        key: 'lifecycle_ratio',
        value: (lifecycles * messages) / append.bare,
        goal: null,
        note: 'messages of these tasks over the bare publisher',
      },
      {
        key: 'replay_ratio',
        value: read.replay / read.raw,
        goal: atLeast(0.65),
        note: `${shown(read.replay)} events/s; only reading and parsing: ${shown(read.raw)}; ${shown(read.events)} events`,
      },
      {
        key: 'bytes_per_live_task',
        value: liveTask,
        goal: atMost(6_000),
        note: `heap, with ${shown(LIVE_TASKS)} pending tasks`,
      },
    ];
  } finally {
    await server.stop();
  }
}
