import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { natsServer } from '../../support/nats/nats.ts';
import { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';

const TASKS = '/api/projects/demo/tasks';

const CONFIG = {
  limits: { queue_depth: 100_000 },
  defaults: { review: 'auto' },
  agents: {
    quick: {
      driver: 'command',
      command: ['sh', '-c', 'echo "$SIGNALBOX_TASK_ID" >> starts; echo finished'],
      cwd: '.',
      concurrency: 4,
    },
  },
};

interface Health {
  readonly ready: boolean;
  readonly nats: { readonly pid: number | null; readonly restarts: number };
}

interface Answered {
  readonly id: string;
  readonly status: number;
  readonly retryAfter: string | null;
}

describe.concurrent('kill -9 of the embedded nats-server under load', () => {
  it('answers 503 with Retry-After meanwhile, loses nothing that was acknowledged, and continues', {
    timeout: 120_000,
  }, async () => {
    await using sandbox = await Sandbox.create({ config: CONFIG });
    await sandbox.up();
    const answers: Answered[] = [];
    let loading = true;
    const load = async (client: number): Promise<void> => {
      for (let index = 0; loading; index++) {
        const id = `c${client}-${index}`;
        // Every tenth is run; the others only fill the log.
        const body = { id, title: 'load', agent: 'quick', delay_seconds: index % 10 === 0 ? 0 : 3_600 };
        const answer = await sandbox.post(TASKS, body);
        answers.push({ id, status: answer.status, retryAfter: answer.headers.get('retry-after') });
        if (answer.status !== 201) await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const clients = Array.from({ length: 8 }, (_, client) => load(client));
    const refused = (): Answered[] => answers.filter(({ status }) => status !== 201);
    // A server that is back at once may have refused nothing: then it is killed again.
    for (let round = 1; round <= 3 || (refused().length === 0 && round <= 10); round++) {
      const enough = answers.length + 100;
      await until(() => answers.length > enough, 'some load');
      const { nats } = await sandbox.get<Health>('/health');
      process.kill(nats.pid ?? 0, 'SIGKILL');
      await until(async () => {
        const health = await sandbox.get<Health>('/health');
        return health.nats.restarts === round && health.ready;
      }, 'the server is back');
    }
    loading = false;
    await Promise.all(clients);

    expect(refused().length).toBeGreaterThan(0);
    expect(refused().every(({ status, retryAfter }) => status === 503 && Number(retryAfter) > 0)).toBe(true);
    const { tasks } = await sandbox.get<{ tasks: { id: string }[] }>('/api/tasks?limit=1000');
    const page = new Set(tasks.map(({ id }) => id));
    const created = answers.filter(({ status }) => status === 201).map(({ id }) => id);
    for (const id of created) {
      if (!page.has(id)) expect((await sandbox.get<{ id: string }>(`${TASKS}/${id}`)).id).toBe(id);
    }
    const ran = created.filter((id) => Number(id.split('-')[1]) % 10 === 0);
    await until(
      async () => {
        const { tasks: done } = await sandbox.get<{ tasks: unknown[] }>('/api/tasks?limit=1000&status=done');
        return done.length >= Math.min(ran.length, 1_000);
      },
      'all that was to run is done',
      60_000,
    );
    const starts = await sandbox.lines('starts');
    expect(new Set(starts).size).toBe(starts.length);
  });
});

describe.concurrent('one log, one writer', () => {
  it('refuses a second Signalbox on the same data directory, and names its holder', {
    timeout: 60_000,
  }, async () => {
    await using first = await Sandbox.create({ config: { ...CONFIG, data_dir: 'data' } });
    await first.up();
    await using second = await Sandbox.create({ config: { ...CONFIG, data_dir: `${first.directory}/data` } });
    const { code, stderr } = await second.refused();
    expect(code).not.toBe(0);
    expect(stderr).toContain('another Signalbox');
    expect((await first.post(TASKS, { title: 'still at work', agent: 'quick' })).status).toBe(201);
  });

  it('refuses a second Signalbox on the same NATS server, and names the holder of the lease', {
    timeout: 60_000,
  }, async () => {
    await using nats = await natsServer();
    const { user, pass } = nats.connectOptions;
    const env = { NATS_URL: nats.url.replace('nats://', `nats://${user}:${pass}@`) };
    await using first = await Sandbox.create({ config: CONFIG, env });
    await first.up();
    await using second = await Sandbox.create({ config: CONFIG, env });
    const { code, stderr } = await second.refused();
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/another Signalbox writes this log: process \d+ on host/);
    expect(stderr).not.toContain(String(pass));
  });

  it('stops before its next effect when another process has written the log', {
    timeout: 60_000,
  }, async () => {
    await using nats = await natsServer();
    const { user, pass } = nats.connectOptions;
    const env = { NATS_URL: nats.url.replace('nats://', `nats://${user}:${pass}@`) };
    await using sandbox = await Sandbox.create({ config: CONFIG, env });
    await sandbox.up();
    const connection = await connect(nats.connectOptions);
    await jetstream(connection).publish('signalbox.v1.evt.demo.task.intruder.created', 'not ours', {
      msgID: 'foreign',
    });
    await connection.close();

    const answer = await sandbox.post(TASKS, { id: 'never', title: 'never to run', agent: 'quick' });
    expect(answer.status).toBe(503);
    const { code, stderr } = await sandbox.exited();
    expect(code).not.toBe(0);
    expect(stderr).toContain('was written by another');
    expect(await sandbox.lines('starts')).toEqual([]);
  });
});
