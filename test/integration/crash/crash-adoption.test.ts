import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { survivors } from '../../support/process/processes.ts';
import { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';

const NOTE = 'echo "$SIGNALBOX_TASK_ID/$SIGNALBOX_ATTEMPT" >> starts';
/** Ends after some seconds with the code that the task's id says. */
const COUNTED = `${NOTE}; code=\${SIGNALBOX_TASK_ID##*-}; echo finished; sleep 3; exit $code`;
const LONG = `${NOTE}; exec sleep 600`;

const AGENTS = {
  counted: { driver: 'command', command: ['sh', '-c', COUNTED], cwd: '.', concurrency: 40 },
  long: {
    driver: 'command',
    command: ['sh', '-c', LONG],
    cwd: '.',
    concurrency: 40,
    timeout_seconds: 9,
    kill_grace_seconds: 0.2,
  },
};
const DEFAULTS = { review: 'auto', max_attempts: 1, breaker: { failures: 1_000 } };
const TASKS = '/api/projects/demo/tasks';

interface Attempt {
  readonly attempt: number;
  readonly outcome: string | null;
  readonly exit_code: number | null;
  readonly deadline: string;
  readonly ended_at: string;
  readonly pid: number;
}

async function attemptsOf(sandbox: Sandbox, id: string): Promise<Attempt[]> {
  return (await sandbox.get<{ attempts: Attempt[] }>(`${TASKS}/${id}?expand=attempts`)).attempts;
}

async function openAttempts(sandbox: Sandbox): Promise<number> {
  return (await sandbox.get<{ open_attempts: number }>('/health')).open_attempts;
}

async function create(sandbox: Sandbox, agent: string, ids: readonly string[]): Promise<void> {
  for (const id of ids) expect((await sandbox.post(TASKS, { id, title: id, agent })).status).toBe(201);
}

// Most of the time both wait for agents.
describe.concurrent('kill -9 of Signalbox with 30 agents running', () => {
  it('adopts all agents, starts none again, records every exit code, and keeps the deadlines', {
    timeout: 120_000,
  }, async () => {
    await using sandbox = await Sandbox.create({
      config: { defaults: DEFAULTS, agents: AGENTS, limits: { concurrency: 100 } },
    });
    await sandbox.up();
    const counted = Array.from({ length: 20 }, (_, index) => `counted-${index}`);
    const long = Array.from({ length: 10 }, (_, index) => `long-${index}`);
    await create(sandbox, 'long', long);
    await create(sandbox, 'counted', counted);
    await until(async () => (await sandbox.lines('starts')).length === 30, 'all 30 run', 30_000);
    await until(
      async () => (await attemptsOf(sandbox, 'counted-19'))[0]?.deadline !== null,
      'the last start is recorded',
    );
    const deadlines = await Promise.all(long.map(async (id) => (await attemptsOf(sandbox, id))[0]?.deadline));

    await sandbox.kill('SIGKILL');
    await sleep(2_000);
    await sandbox.up();

    await until(async () => (await openAttempts(sandbox)) === 0, 'every attempt has ended', 60_000);
    for (const id of counted) {
      const [attempt, ...more] = await attemptsOf(sandbox, id);
      expect(more).toEqual([]);
      const code = Number(id.slice('counted-'.length));
      expect(attempt).toMatchObject({ exit_code: code, outcome: code === 0 ? 'completed' : 'failed' });
    }
    for (const [index, id] of long.entries()) {
      const [attempt, ...more] = await attemptsOf(sandbox, id);
      expect(more).toEqual([]);
      expect(attempt).toMatchObject({ outcome: 'timed_out', deadline: deadlines[index] });
      expect(Date.parse(attempt?.ended_at ?? '')).toBeGreaterThanOrEqual(Date.parse(attempt?.deadline ?? ''));
    }
    const starts = await sandbox.lines('starts');
    expect(new Set(starts).size).toBe(30);
    expect(starts.length).toBe(30);
    expect(await survivors(sandbox.directory)).toEqual([]);
  });
});

describe.concurrent('a stop of the whole machine: Signalbox, nats-server and agents at once', () => {
  it('records each open attempt as lost, and retries it within its limits', {
    timeout: 120_000,
  }, async () => {
    const defaults = { ...DEFAULTS, max_attempts: 2, backoff: { initial_seconds: 0.1, jitter: 0 } };
    await using sandbox = await Sandbox.create({
      config: { defaults, agents: AGENTS, limits: { concurrency: 100 } },
    });
    await sandbox.up();
    const ids = Array.from({ length: 10 }, (_, index) => `long-${index}`);
    await create(sandbox, 'long', ids);
    await until(async () => (await sandbox.lines('starts')).length === 10, 'all run', 30_000);
    await until(
      async () => (await attemptsOf(sandbox, 'long-9'))[0]?.deadline !== null,
      'the last start is recorded',
    );
    const { nats } = await sandbox.get<{ nats: { pid: number } }>('/health');

    const dying = sandbox.kill('SIGKILL');
    process.kill(nats.pid, 'SIGKILL');
    for (const pid of await survivors(sandbox.directory)) process.kill(pid, 'SIGKILL');
    await dying;
    await until(async () => (await survivors(sandbox.directory)).length === 0, 'everything is dead');
    await sandbox.up();

    await until(
      async () => (await sandbox.lines('starts')).length === 20,
      'each is tried a second time',
      30_000,
    );
    for (const id of ids) {
      const [first, second, ...more] = await attemptsOf(sandbox, id);
      expect(first?.outcome).toBe('lost');
      expect(second?.attempt).toBe(2);
      expect(more).toEqual([]);
    }
  });
});
