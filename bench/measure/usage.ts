/** The usage of a log with 100,000 attempts: how long an answer over HTTP takes. */
import type { Engine } from '../../src/app/engine/engine.ts';
import { usageLog } from '../../test/support/usage/usage-log.ts';
import { openBenchEngine } from '../support/engine.ts';
import { atMost, type Figure, percentile, shown } from '../support/figure.ts';
import { serveEngine } from '../support/serve.ts';
import { startBenchServer } from '../support/server.ts';

const ATTEMPTS = 100_000;
/** Two months. */
const EVERY_MS = 52_000;
const ROUNDS = 10;
const QUERIES = [
  'by=day&zone=Europe/Berlin',
  'by=agent,model',
  'by=project,day&zone=Asia/Kathmandu&limit=1000',
  'by=task',
];

export async function usage(): Promise<Figure[]> {
  const server = await startBenchServer();
  try {
    const engine = await openBenchEngine(await server.connect(), server.directory, 1);
    try {
      return await measure(engine);
    } finally {
      await engine.stop('the bench is over');
    }
  } finally {
    await server.stop();
  }
}

async function measure(engine: Engine): Promise<Figure[]> {
  // What is measured reads the projections: how the events came there does not matter.
  const log = usageLog({ attempts: ATTEMPTS, begin: Date.UTC(2026, 0, 1), everyMs: EVERY_MS });
  for (const record of log) engine.projections.evolve(record);
  const http = await serveEngine(engine);
  const times = new Map(QUERIES.map((query): [string, number[]] => [query, []]));
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const [query, taken] of times) {
        const begin = performance.now();
        const answer = await fetch(`${http.url}/api/usage?${query}`);
        await answer.text();
        if (!answer.ok) throw new Error(`${query}: HTTP ${answer.status}`);
        taken.push(performance.now() - begin);
      }
    }
  } finally {
    await http.close();
  }
  const medians = [...times].map(
    ([query, taken]) => `${query.split('&')[0]} ${shown(percentile(taken, 0.5))}`,
  );
  return [
    {
      key: 'usage_answer_ms',
      value: percentile([...times.values()].flat(), 0.95),
      goal: atMost(100),
      note: `95 % of answers over HTTP about ${ATTEMPTS.toLocaleString('en-US')} attempts (medians: ${medians.join(', ')})`,
    },
  ];
}
