/** The usage of a log with 100,000 attempts: how long an answer takes. */
import { newProjections } from '../../projections/index.ts';
import { readUsage } from '../../src/app/overview/usage.ts';
import { systemEnvironment } from '../../src/base/environment.ts';
import { readUsageSchema } from '../../src/contracts/api/usage/usage.ts';
import { usageLog } from '../../test/support/usage/usage-log.ts';
import { atMost, type Figure, percentile } from '../support/figure.ts';

const ATTEMPTS = 100_000;
const ROUNDS = 10;
const QUERIES = [
  { by: 'day', zone: 'Europe/Berlin' },
  { by: 'agent,model' },
  { by: 'project,day', zone: 'Asia/Kathmandu', limit: 1_000 },
  { by: 'task' },
] as const;

export async function usage(): Promise<Figure[]> {
  const projections = newProjections();
  // Two months.
  const log = usageLog({ attempts: ATTEMPTS, begin: Date.UTC(2026, 0, 1), everyMs: 52_000 });
  for (const record of log) projections.evolve(record);
  const past = { at: () => Promise.reject(new Error('the past is not asked for')) };
  const app = { state: { projections }, environment: systemEnvironment, past };
  const { signal } = new AbortController();
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const query of QUERIES) {
      const begin = performance.now();
      await readUsage(app, readUsageSchema.parse(query), signal);
      times.push(performance.now() - begin);
    }
  }
  return [
    {
      key: 'usage_answer_ms',
      value: percentile(times, 0.95),
      goal: atMost(100),
      note: `95 % of answers about ${ATTEMPTS.toLocaleString('en-US')} attempts, by day, agent and model, project and day, task`,
    },
  ];
}
