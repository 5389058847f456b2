import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findExecutable } from '../../../src/daemon/embedded/program.ts';
import { REMOTE, RemoteWorld } from '../../support/nats/remote.ts';
import { credentialsOf } from '../../support/nats/users.ts';
import { ROOT } from '../../support/process/build.ts';
import { until } from '../../support/until.ts';

const python = await findExecutable('python3', process.env);

describe.skipIf(python === undefined)('an agent that speaks only NATS (examples/nats-agent)', () => {
  it('runs jobs, sends outputs and results, and reports failures with a reason', {
    timeout: 60_000,
  }, async () => {
    await using world = await RemoteWorld.start({ agents: { counter: REMOTE } });
    const { box, nats } = world;
    const { user, pass } = credentialsOf('counter');
    const args = [join(ROOT, 'examples/nats-agent/agent.py'), '--agent', 'counter', '--url', nats.url];
    const agent = spawn(python ?? '', args, {
      env: { ...process.env, NATS_USER: user, NATS_PASSWORD: pass },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(agent.stdout, 'data');
      const text = 'nothing moves without a signal';
      await box.createTask({ project: 'demo', id: 'a', title: 'count', agent: 'counter', params: { text } });
      await box.createTask({ project: 'demo', id: 'b', title: 'nothing', agent: 'counter', max_attempts: 1 });
      const [a, b] = await Promise.all([
        box.settledTask({ project: 'demo', task: 'a' }, ['outputs']),
        box.settledTask({ project: 'demo', task: 'b' }),
      ]);
      expect(a.outputs?.map(({ title, content }) => [title, content])).toEqual([['Words', '{"words": 5}']]);
      expect(a.status).toBe('done');
      expect(b.status).toBe('failed');
      expect((await box.listAttempts({ project: 'demo', task: 'b' })).attempts[0]?.error).toContain(
        'there is no text to count',
      );
      expect((await box.listAttempts({ project: 'demo', task: 'a' })).attempts[0]?.pid).toBe(agent.pid);
      agent.kill('SIGKILL');
      await box.createTask({ project: 'demo', id: 'c', title: 'later', agent: 'counter' });
      await until(async () => JSON.stringify(await world.why('c')).includes('offline'), 'it is missed');
    } finally {
      agent.kill('SIGKILL');
    }
  });
});
