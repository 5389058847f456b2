import { describe, expect, it } from 'vitest';
import { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';

const TASKS = '/api/projects/demo/tasks';
const REFUSAL = 'rate limit, retry after 1 second';
/** Refuses its first attempt, and then works. */
const REFUSES_ONCE = `[ -e refused ] && { echo done; exit 0; }; touch refused; echo '${REFUSAL}' >&2; exit 1`;

interface Agent {
  readonly state: string;
  readonly reason: string | null;
  readonly parked_until: string | null;
}

interface Task {
  readonly status: string;
  readonly attempts: readonly { outcome: string | null; started_at: string }[];
}

describe('an agent that reports that its quota is used up', () => {
  it('is parked at once until the time that it named, and then gets the task again', {
    timeout: 60_000,
  }, async () => {
    await using sandbox = await Sandbox.create({
      config: {
        defaults: {
          review: 'auto',
          backoff: { initial_seconds: 0.01, jitter: 0 },
          breaker: { failures: 100 },
        },
        agents: {
          shy: {
            driver: 'command',
            command: ['sh', '-c', REFUSES_ONCE],
            cwd: '.',
            quota: { pattern: 'RATE LIMIT', park_seconds: 3_600 },
          },
        },
      },
    });
    await sandbox.up();
    expect((await sandbox.post(TASKS, { id: 'asked', title: 'asked', agent: 'shy' })).status).toBe(201);
    const agent = (): Promise<Agent> => sandbox.get<Agent>('/api/agents/shy');
    const task = (): Promise<Task> => sandbox.get<Task>(`${TASKS}/asked?expand=attempts`);

    await until(async () => (await agent()).state === 'parked', 'the agent is parked', 20_000);
    const parkedUntil = Date.parse((await agent()).parked_until ?? '');
    expect((await agent()).reason).toBe(`quota: ${REFUSAL}`);

    await until(async () => (await task()).status === 'done', 'the task is done', 20_000);
    const [refused, done, ...more] = (await task()).attempts;
    expect(more).toEqual([]);
    expect(refused?.outcome).toBe('quota');
    expect(done?.outcome).toBe('completed');
    expect(Date.parse(done?.started_at ?? '')).toBeGreaterThanOrEqual(parkedUntil);
    await until(async () => (await agent()).state === 'idle', 'the agent works again');
  });
});
