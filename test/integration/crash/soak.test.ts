import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { survivors } from '../../support/process/processes.ts';
import { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';

/** `SOAK_SECONDS=120 npx vitest run test/integration/soak` for the long run. */
const SECONDS = Number(process.env.SOAK_SECONDS ?? 10);
const IN_FLIGHT = 100;
const TASKS = '/api/projects/demo/tasks';

/** What an agent does follows from its task's id, so a failing run can be told from its tasks. */
const SCRIPT = `
n=\${SIGNALBOX_TASK_ID#t}; n=$((n % 10))
case $n in
  0|1|2) echo finished; sleep 1 ;;
  3) echo broken >&2; exit 1 ;;
  4) trap '' TERM; echo deaf; sleep 60 ;;
  5) (sleep 60 &) ; echo left a child behind ;;
  6) setsid sleep 60 & echo started a session; sleep 1 ;;
  7) kill -SEGV $$ ;;
  8) sleep 60 ;;
  9) head -c 300000 /dev/zero | tr '\\0' 'x'; sleep 1 ;;
esac`;

const CONFIG = {
  limits: { concurrency: IN_FLIGHT, queue_depth: 100_000 },
  defaults: {
    review: 'auto',
    max_attempts: 2,
    timeout_seconds: 8,
    kill_grace_seconds: 0.5,
    backoff: { initial_seconds: 0.2, jitter: 0.5 },
    breaker: { failures: 1_000 },
  },
  agents: {
    wild: {
      driver: 'command',
      command: ['sh', '-c', SCRIPT],
      concurrency: IN_FLIGHT,
      max_output_bytes: 100_000,
    },
  },
};

interface Health {
  readonly pid: number;
  readonly unfinished_tasks: number;
  readonly open_attempts: number;
}

async function zombiesOf(parent: number): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  return stats.filter((stat) => new RegExp(`\\) Z ${parent} `).test(stat));
}

describe(`${IN_FLIGHT} agents at once for ${SECONDS} s, seven of ten misbehaving`, () => {
  it('leaves no task stuck, no slot taken, no process and no zombie', {
    timeout: SECONDS * 1_000 + 180_000,
  }, async () => {
    await using sandbox = await Sandbox.create({ config: CONFIG });
    await sandbox.up();
    const end = performance.now() + SECONDS * 1_000;
    let created = 0;
    while (performance.now() < end) {
      const { unfinished_tasks: unfinished } = await sandbox.get<Health>('/health');
      const missing = Math.max(0, IN_FLIGHT + 20 - unfinished);
      const answers = await Promise.all(
        Array.from({ length: missing }, () =>
          sandbox.post(TASKS, { id: `t${created++}`, title: 'soak', agent: 'wild' }),
        ),
      );
      expect(answers.every(({ status }) => status === 201)).toBe(true);
    }
    await until(
      async () => (await sandbox.get<Health>('/health')).unfinished_tasks === 0,
      'every task has settled',
      120_000,
    );

    const health = await sandbox.get<Health>('/health');
    expect(health.open_attempts).toBe(0);
    const { agents } = await sandbox.get<{ agents: { state: string; running: number }[] }>('/api/agents');
    expect(agents).toMatchObject([{ state: 'idle', running: 0 }]);
    expect(await survivors(sandbox.directory)).toEqual([]);
    await until(async () => (await zombiesOf(health.pid)).length === 0, 'no zombie is left');
    const page = await sandbox.get<{ tasks: { id: string; status: string }[] }>('/api/tasks?limit=1000');
    for (const { id, status } of page.tasks) {
      const kind = Number(id.slice(1)) % 10;
      expect({ id, status }).toEqual({ id, status: [0, 1, 2, 5, 6, 9].includes(kind) ? 'done' : 'failed' });
    }
  });
});
