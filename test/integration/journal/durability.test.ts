import { describe, expect, it } from 'vitest';
import { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';

const TASKS = '/api/projects/demo/tasks';
const AGENTS = { quick: { driver: 'command', command: ['echo', 'finished'], review: 'auto' } };

interface Health {
  readonly ready: boolean;
  readonly log: { readonly durability: string };
  readonly nats: { readonly pid: number | null; readonly restarts: number };
}

describe('the durability modes', () => {
  it.concurrent.each([
    ['group', 'synced to the disk in groups'],
    ['always', 'each event is synced'],
  ])(
    '%s: is shown, and survives kill -9 of the server and of Signalbox',
    { timeout: 120_000 },
    async (sync, text) => {
      await using sandbox = await Sandbox.create({ config: { nats: { sync }, agents: AGENTS } });
      await sandbox.up();
      const { log, nats } = await sandbox.get<Health>('/health');
      expect(log.durability).toContain(text);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          sandbox.post(TASKS, { id: `a${index}`, title: 'a', agent: 'quick' }),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
      process.kill(nats.pid ?? 0, 'SIGKILL');
      await until(async () => {
        const health = await sandbox.get<Health>('/health');
        return health.ready && health.nats.restarts === 1;
      }, 'the server is back');
      expect((await sandbox.post(TASKS, { id: 'after', title: 'after', agent: 'quick' })).status).toBe(201);
      await sandbox.kill('SIGKILL');
      await sandbox.up();
      await until(
        async () => {
          const { tasks } = await sandbox.get<{ tasks: { status: string }[] }>('/api/tasks?limit=100');
          return tasks.length === 21 && tasks.every(({ status }) => status === 'done');
        },
        'every task is done',
        60_000,
      );
    },
  );

  it('refuses group and always with an external server', { timeout: 60_000 }, async () => {
    const config = { nats: { sync: 'group', url: 'nats://127.0.0.1:4222' } };
    await using sandbox = await Sandbox.create({ config });
    const { code, stderr } = await sandbox.refused();
    expect(code).not.toBe(0);
    expect(stderr).toContain('nats.sync is for the embedded NATS server');
  });
});
