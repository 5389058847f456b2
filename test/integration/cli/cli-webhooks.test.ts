/** Queues and webhooks on the command line. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startUp } from '../../support/process/cli.ts';
import { until } from '../../support/until.ts';

describe('queues and webhooks on the command line', () => {
  it('lists queues and webhooks, and redelivers dead letters', {
    timeout: 90_000,
  }, async () => {
    let status = 500;
    const received: string[] = [];
    const receiver = createServer((request, response) => {
      received.push(String(request.headers['webhook-id']));
      request.resume();
      response.writeHead(status).end();
    });
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const { port } = receiver.address() as AddressInfo;
    const config = `
agents:
  echo: { driver: command, command: [echo, done], review: auto }
  idle: { driver: command, command: ["true"] }
webhooks:
  ops:
    url: http://127.0.0.1:${port}/
    events: [task.created]
    secret_env: OPS_SECRET
    max_attempts: 1
`;
    try {
      await using up = await startUp(config, { env: { OPS_SECRET: 'shared' } });
      await up.client.pauseAgent({ agent: 'idle' });
      await up.client.createTask({ project: 'default', id: 'a', title: 'x', agent: 'echo' });
      await up.client.createTask({ project: 'default', id: 'b', title: 'x', agent: 'idle' });
      await until(
        async () => (await up.client.readTask({ project: 'default', task: 'a' })).status === 'done',
        'a is done',
      );

      const queues = await up.json<{ name: string; pending: number }[]>(['queue', 'ls']);
      expect(queues.map(({ name, pending }) => [name, pending])).toEqual([
        ['echo', 0],
        ['idle', 1],
      ]);

      const letters = async () => (await up.client.listWebhookDeadLetters({ webhook: 'ops' })).dead_letters;
      await until(async () => (await letters()).length === 2, 'two dead letters');
      expect((await up.run(['webhook', 'dlq', 'ops'])).out).toMatch(/task\.created .*500/);
      expect((await up.run(['webhook', 'ls'])).out).toMatch(/ops .*http:\/\/127\.0\.0\.1:\d+ .* 2 .*500/);
      const [first, second] = await letters();
      const failed = await up.run(['webhook', 'redeliver', 'ops', String(first?.sequence)]);
      expect(failed).toMatchObject({ code: 1, err: expect.stringContaining('500') });
      status = 204;
      const redelivered = await up.run(['webhook', 'redeliver', 'ops', String(first?.sequence)]);
      expect(redelivered).toMatchObject({ code: 0, out: `delivered ${first?.sequence}\n` });
      expect(received.filter((id) => id === first?.event_id)).toHaveLength(3);
      expect((await up.run(['webhook', 'discard', 'ops', '--all'])).out).toBe(
        `discarded ${second?.sequence}\n`,
      );
      expect(await letters()).toEqual([]);
    } finally {
      receiver.closeAllConnections();
      receiver.close();
    }
  });
});
