/** Traces of `signalbox up`: off, on, and across a kill -9. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { SignalboxClient } from '../../../src/client/client.ts';
import { Collector } from '../../support/http/collector.ts';
import { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';

const NOTE_MODULES = fileURLToPath(new URL('../../fixtures/note-modules.mjs', import.meta.url));
const LIMIT = { timeout: 90_000 };
const agents = {
  teller: { driver: 'command', command: ['sh', '-c', 'printenv TRACEPARENT'] },
  waiter: {
    driver: 'command',
    command: ['sh', '-c', 'until [ -e go ]; do sleep 0.05; done; echo went'],
    cwd: '.',
  },
};
const CONFIG = { agents, defaults: { review: 'auto' }, shutdown: { agents: 'leave', drain_seconds: 0.1 } };

async function settle(sandbox: Sandbox, id: string, agent: string): Promise<string> {
  const client = new SignalboxClient({ url: sandbox.url });
  await client.createTask({ project: 'demo', id, title: 'x', agent });
  const { outputs } = await client.settledTask({ project: 'demo', task: id }, ['outputs']);
  return outputs?.[0]?.content?.trim() ?? '';
}

/** Parts of the bundled program with the telemetry that the process has loaded. */
async function loaded(file: string): Promise<string[]> {
  const urls = (await readFile(file, 'utf8')).split('\n');
  expect(urls.some((url) => /\/cli\/parts\/daemon-\S+$/.test(url))).toBe(true);
  return urls.flatMap((url) => /\/cli\/parts\/(telemetry)-\S+$/.exec(url)?.[1] ?? []);
}

describe('traces of a process', () => {
  it('are off by default, and their modules are not loaded', LIMIT, async () => {
    const env = { NODE_OPTIONS: `--import=${NOTE_MODULES}`, LOADED_MODULES: '' };
    await using sandbox = await Sandbox.create({ config: CONFIG, env });
    env.LOADED_MODULES = join(sandbox.directory, 'modules');
    await sandbox.up();
    expect(await settle(sandbox, 'a', 'teller')).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/);
    expect(await loaded(env.LOADED_MODULES)).toEqual([]);
    await using collector = await Collector.start();
    await sandbox.kill('SIGTERM');
    await sandbox.configure({ ...CONFIG, telemetry: { endpoint: collector.url } });
    await sandbox.up();
    expect(await loaded(env.LOADED_MODULES)).toContain('telemetry');
    // Events from the time without traces are not exported.
    await settle(sandbox, 'b', 'teller');
    await until(() => collector.spansOf('b').length === 2, 'the spans of b');
    expect(collector.spansOf('a')).toEqual([]);
  });

  it(
    'arrive after a kill -9 with the ids that the agents got, including those that ended in the meantime',
    LIMIT,
    async () => {
      await using collector = await Collector.start();
      const env = {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20key',
        OTEL_SERVICE_NAME: 'box',
      };
      await using sandbox = await Sandbox.create({ config: CONFIG, env });
      await sandbox.up();
      const first = await settle(sandbox, 'first', 'teller');
      await until(() => collector.spansOf('first').length === 2, 'the spans of first');
      collector.behaviour = () => ({ status: 503 });
      const second = await settle(sandbox, 'second', 'teller');
      await new SignalboxClient({ url: sandbox.url }).createTask({
        project: 'demo',
        id: 'third',
        title: 'x',
        agent: 'waiter',
      });
      const client = () => new SignalboxClient({ url: sandbox.url });
      await until(
        async () => (await client().readTask({ project: 'demo', task: 'third' })).status === 'working',
        'third runs',
      );
      await sandbox.kill('SIGKILL');
      await sandbox.touch('go');
      collector.behaviour = () => ({ status: 200, body: {} });
      await sandbox.up();
      await client().settledTask({ project: 'demo', task: 'third' });
      await until(() => collector.spansOf('third').length === 2, 'the spans of third');
      expect(collector.spans.map(({ attributes }) => attributes['signalbox.task.id'])).toEqual([
        ...['first', 'first', 'second', 'second', 'third', 'third'],
      ]);
      const attempts = collector.spans.filter(({ name }) => name.startsWith('invoke_agent'));
      expect(attempts.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`).slice(0, 2)).toEqual([
        first,
        second,
      ]);
      expect(attempts[2]?.attributes).toMatchObject({
        'signalbox.attempt': 1,
        'signalbox.attempt.outcome': 'completed',
        'process.pid': expect.any(Number),
        'process.exit.code': 0,
      });
      const [request] = collector.requests;
      expect(request?.headers.authorization).toBe('Bearer key');
      expect(request?.resource['service.name']).toBe('box');
      expect(sandbox.log).not.toContain('Bearer');
    },
  );
});
