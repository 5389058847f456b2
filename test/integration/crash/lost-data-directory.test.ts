import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';

const CONFIG = { agents: { brief: { driver: 'command', command: ['true'] } } };
const TASKS = '/api/projects/demo/tasks';

describe('a data directory that goes away while Signalbox runs', () => {
  it('makes /ready say no and new tasks be refused, until it is back', async () => {
    await using sandbox = await Sandbox.create({ config: CONFIG });
    await sandbox.up();
    const data = join(sandbox.directory, '.signalbox');
    const isReady = async (): Promise<boolean> => (await fetch(`${sandbox.url}/ready`)).status === 200;
    expect(await isReady()).toBe(true);

    await rename(data, `${data}.aside`);
    await until(async () => !(await isReady()), '/ready says no');
    expect(await sandbox.get('/health')).toMatchObject({
      ready: false,
      reason: expect.stringContaining('is gone'),
    });
    const refused = await sandbox.post(TASKS, { title: 'x', agent: 'brief' });
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: 'log_unavailable' });
    await until(() => sandbox.log.includes('takes no new tasks: the data directory'), 'it is logged');

    await rename(`${data}.aside`, data);
    await until(isReady, '/ready says yes');
    expect((await sandbox.post(TASKS, { title: 'x', agent: 'brief' })).status).toBe(201);
  });

  it('does not keep Signalbox from stopping, if it was deleted', async () => {
    await using sandbox = await Sandbox.create({ config: CONFIG });
    await sandbox.up();
    await rm(join(sandbox.directory, '.signalbox'), { recursive: true, maxRetries: 10, retryDelay: 20 });
    await until(async () => (await fetch(`${sandbox.url}/ready`)).status === 503, '/ready says no');
    const began = performance.now();
    await sandbox.kill('SIGTERM');
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});
