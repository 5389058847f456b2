/** The time of a start on a long log, and the memory of a long history. */

import { pino } from 'pino';
import { threadFor } from '../../src/daemon/read-ahead.ts';
import { openBenchEngine, runLifecycles } from '../support/engine.ts';
import { atLeast, atMost, type Figure, shown } from '../support/figure.ts';
import { heapBytes } from '../support/memory.ts';
import { MemorySnapshot } from '../support/memory-snapshot.ts';
import { rawReadRate } from '../support/replay.ts';
import { startBenchServer } from '../support/server.ts';

const IN_FLIGHT = 256;
/** Tasks whose messages say how many each has. */
const SAMPLE = 1_000;
const MB = 1_000_000;

/** @param events length of the log */
export async function restart(events: number): Promise<Figure[]> {
  const server = await startBenchServer();
  const snapshots = { store: new MemorySnapshot(), every: 20_000 };
  try {
    const writer = await openBenchEngine(await server.connect(), server.directory, IN_FLIGHT, { snapshots });
    await runLifecycles(writer, SAMPLE, IN_FLIGHT);
    const tasks = Math.ceil(events / (writer.projections.sequence / SAMPLE));
    const empty = heapBytes();
    await runLifecycles(writer, Math.ceil(tasks / 4), IN_FLIGHT);
    const quarter = heapBytes() - empty;
    await runLifecycles(writer, tasks - Math.ceil(tasks / 4), IN_FLIGHT);
    const whole = heapBytes() - empty;
    const { sequence } = writer.projections;
    // As after kill -9: no snapshot at the end.
    snapshots.store.isFrozen = true;
    await writer.stop('the log is long enough');
    const raw = await rawReadRate(await server.connect());
    const readAhead = threadFor(server.address, pino({ level: 'warn' }));

    const open = async (settings: Parameters<typeof openBenchEngine>[3]): Promise<number> => {
      const connection = await server.connect();
      const start = performance.now();
      const engine = await openBenchEngine(connection, server.directory, IN_FLIGHT, settings);
      const seconds = (performance.now() - start) / 1_000;
      await engine.stop('measured');
      return seconds;
    };
    const tail = sequence - ((await snapshots.store.load())?.at.tip.sequence ?? 0);
    const fromSnapshot = await open({ snapshots, readAhead });
    const full = await open({ snapshots: null, readAhead });
    const scale = events === 1_000_000 ? '1m' : `${events}`;
    return [
      {
        key: `restart_${scale}_snapshot_s`,
        value: fromSnapshot,
        goal: atMost(0.5),
        note: `${shown(events)} events, ${shown(tail)} of them after the newest snapshot`,
      },
      {
        key: `restart_${scale}_full_s`,
        value: full,
        goal: null,
        note: `every event replayed; reading and parsing alone takes ${shown(events / raw.rate)} s here`,
      },
      {
        key: 'restart_full_ratio',
        value: raw.seconds / full,
        goal: atLeast(0.6),
        note: 'reading and parsing over the whole start, in the same run',
      },
      {
        key: 'finished_heap_mb',
        value: whole / MB,
        goal: null,
        note: `heap with ${shown(tasks)} finished tasks in the log and 10,000 in memory; ${shown(quarter / MB)} after a quarter of them`,
      },
    ];
  } finally {
    await server.stop();
  }
}
