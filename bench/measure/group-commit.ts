/** The cost of acknowledging events only after they are synced to disk. */

import { EVENT_STREAM } from '../../src/contracts/messages/subjects.ts';
import { StreamSync } from '../../src/daemon/embedded/stream-sync.ts';
import { openBenchEngine, runLifecycles } from '../support/engine.ts';
import { atLeast, type Figure, medianBy, shown } from '../support/figure.ts';
import { startBenchServer } from '../support/server.ts';

const LIFECYCLES = 10_000;
const IN_FLIGHT = 256;
const ROUNDS = 3;

async function rateOf(isSynced: boolean): Promise<number> {
  const server = await startBenchServer();
  const sync = new StreamSync(server.storeDir, EVENT_STREAM);
  try {
    const settings = isSynced ? { sync: () => sync.sync() } : {};
    const engine = await openBenchEngine(await server.connect(), server.directory, IN_FLIGHT, settings);
    await runLifecycles(engine, LIFECYCLES / 2, IN_FLIGHT);
    const seconds = await runLifecycles(engine, LIFECYCLES, IN_FLIGHT);
    await engine.stop('the bench is over');
    return LIFECYCLES / seconds;
  } finally {
    await sync.close();
    await server.stop();
  }
}

export async function groupCommit(): Promise<Figure[]> {
  const rounds: { readonly synced: number; readonly plain: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({ plain: await rateOf(false), synced: await rateOf(true) });
  }
  const { synced, plain } = medianBy(rounds, (round) => round.synced / round.plain);
  return [
    {
      key: 'group_commit_ratio',
      value: synced / plain,
      goal: atLeast(0.5),
      note: `${shown(synced)} tasks/s synced to disk, ${shown(plain)} without; depends on the disk`,
    },
  ];
}
