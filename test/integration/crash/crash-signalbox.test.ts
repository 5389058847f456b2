import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';

/** Notes its start, then waits for a file: so the test says when it goes on. */
const GATED =
  'echo "$SIGNALBOX_TASK_ID/$SIGNALBOX_ATTEMPT" >> starts; until [ -e gate ] || [ ! -e signalbox.config.json ]; do sleep 0.2; done; echo finished';
const QUICK = 'echo "$SIGNALBOX_TASK_ID/$SIGNALBOX_ATTEMPT" >> starts; echo finished';
const FAILING = 'echo "$SIGNALBOX_TASK_ID/$SIGNALBOX_ATTEMPT" >> starts; echo broken >&2; exit 3';
const BLOCKED = `echo "$SIGNALBOX_TASK_ID/$SIGNALBOX_ATTEMPT" >> starts
[ "$SIGNALBOX_ATTEMPT" = 1 ] || { echo finished; exit 0; }
curl -sS -X POST "$SIGNALBOX_URL/api/projects/$SIGNALBOX_PROJECT/tasks/$SIGNALBOX_TASK_ID/status" \
  -H "Authorization: Bearer $SIGNALBOX_TOKEN" -H 'Content-Type: application/json' -d '{"status":"blocked","detail":"which way?"}'`;

function sandboxConfig(): object {
  const agent = (script: string, concurrency: number) => ({
    driver: 'command',
    command: ['sh', '-c', script],
    cwd: '.',
    concurrency,
  });
  return {
    limits: { concurrency: 100 },
    defaults: { review: 'auto', max_attempts: 2, breaker: { failures: 1_000 } },
    agents: {
      gated: agent(GATED, 10),
      quick: agent(QUICK, 10),
      failing: agent(FAILING, 10),
      asking: agent(BLOCKED, 10),
    },
  };
}

interface Task {
  readonly id: string;
  readonly status: string;
  readonly attempt: number;
}

const TASKS = '/api/projects/demo/tasks';

async function states(sandbox: Sandbox): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status } of await tasks(sandbox)) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

async function tasks(sandbox: Sandbox): Promise<Task[]> {
  return (await sandbox.get<{ tasks: Task[] }>('/api/tasks?limit=1000')).tasks;
}

/** Everything that the blackboard and the attempt history say, task by task. */
async function everything(sandbox: Sandbox): Promise<unknown[]> {
  const list = await tasks(sandbox);
  return Promise.all(
    list.map(({ id }) => sandbox.get(`${TASKS}/${id}?expand=outputs,comments,attempts,events`)),
  );
}

async function createInAllStates(sandbox: Sandbox): Promise<void> {
  const create = async (count: number, prefix: string, body: object): Promise<void> => {
    for (let index = 1; index <= count; index++) {
      const answer = await sandbox.post(TASKS, { id: `${prefix}${index}`, title: prefix, ...body });
      expect(answer.status).toBe(201);
    }
  };
  const backoff = { initial_seconds: 0.1, jitter: 0 };
  await create(10, 'working', { agent: 'gated' });
  await create(10, 'pending', { agent: 'gated' });
  await create(8, 'review', { agent: 'quick', review: 'manual' });
  await create(6, 'done', { agent: 'quick' });
  await create(5, 'failed', { agent: 'failing', backoff });
  await create(5, 'scheduled', { agent: 'quick', delay_seconds: 3_600 });
  await create(3, 'blocked', { agent: 'asking', backoff });
  await create(3, 'cancelled', { agent: 'quick', delay_seconds: 3_600 });
  for (let index = 1; index <= 3; index++) await sandbox.post(`${TASKS}/cancelled${index}/cancel`, {});
}

const EXPECTED = {
  working: 10,
  pending: 10,
  review: 8,
  done: 6,
  failed: 5,
  scheduled: 5,
  blocked: 3,
  cancelled: 3,
};

describe('kill -9 of Signalbox with 50 tasks in all states', () => {
  it('loses nothing, starts no attempt twice, and every task ends', {
    timeout: 120_000,
  }, async () => {
    await using sandbox = await Sandbox.create({ config: sandboxConfig() });
    await sandbox.up();
    await createInAllStates(sandbox);
    await until(async () => isDeepStrictEqual(await states(sandbox), EXPECTED), 'all states', 30_000);
    await until(
      async () => (await sandbox.get<{ open_attempts: number }>('/health')).open_attempts === 10,
      'only gated attempts run',
    );
    const before = await everything(sandbox);

    await sandbox.kill('SIGKILL');
    await sandbox.up();

    expect(await everything(sandbox)).toEqual(before);

    await writeFile(join(sandbox.directory, 'gate'), '');
    for (const { id, status } of await tasks(sandbox)) {
      const decision = { review: 'approve', blocked: 'unblock', scheduled: 'cancel' }[status];
      if (decision !== undefined)
        expect((await sandbox.post(`${TASKS}/${id}/${decision}`, {})).status).toBe(200);
    }
    await until(async () => {
      const { done = 0, failed = 0, cancelled = 0 } = await states(sandbox);
      return done === 37 && failed === 5 && cancelled === 8;
    }, 'every task at its end');

    const starts = await sandbox.lines('starts');
    expect(new Set(starts).size).toBe(starts.length);
    expect(starts.filter((line) => line.startsWith('working')).length).toBe(10);
    expect(
      (await tasks(sandbox))
        .filter(({ id }) => id.startsWith('working'))
        .every(({ attempt }) => attempt === 1),
    ).toBe(true);
  });
});
