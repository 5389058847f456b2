/** Creating, listing and deciding on several tasks. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startUp } from '../../support/process/cli.ts';

it('several tasks are created, listed and decided at once', { timeout: 180_000 }, async () => {
  await using up = await startUp(`
agents:
  echo: { driver: command, command: ["sh", "-c", "seq 1 50; exit 0"], capabilities: [count] }
  lazy: { driver: command, command: ["sleep", "600"] }
`);
  // Its port, from the configuration in this directory.
  const { port } = new URL(up.url);
  await writeFile(join(up.directory, 'signalbox.config.yaml'), `server: { port: ${port} }\n`);
  const run = (...args: string[]) => up.run(args, { env: { SIGNALBOX_URL: '' } });

  const quiet = await run('task', 'add', 'one', '--agent', 'lazy', '--id', 'one', '--timeout', '2h', '-q');
  expect(quiet).toMatchObject({ code: 0, out: 'one\n', err: '' });
  const next = await run(
    ...['task', 'add', 'two', '--agent', 'echo', '--id', 'two', '--depends-on', 'one', '--parent', 'one'],
    ...['--action', 'shout', '--follow-up', 'three'],
  );
  expect(next.code).toBe(0);
  expect(await up.client.readTask({ project: 'default', task: 'two' })).toMatchObject({
    depends_on: ['one'],
    parent: 'one',
    action: 'shout',
    follow_ups: [{ title: 'three', agent: 'echo' }],
  });
  const lines = 'count to ten\n\n{"title": "count", "id": "c2", "labels": {"team": "a"}}\n';
  const many = await up.run(['task', 'add', '-', '--type', 'count', '-q'], { input: lines });
  expect(many).toMatchObject({ code: 0, out: expect.stringMatching(/^\w+\nc2\n$/) });
  const nobody = await run('task', 'add', 'x', '--type', 'nosuch', '--id', 'x');
  expect(nobody.err).toBe(
    'signalbox: task x waits: no agent in the configuration has the capability nosuch\n',
  );
  const late = await run('task', 'add', 'y', '--agent', 'echo', '--expires-at', '2020-01-01T00:00:00Z');
  expect(late).toMatchObject({ code: 2, err: expect.stringContaining('is in the past: give a later time') });
  const zoneless = await run('task', 'add', 'y', '--agent', 'echo', '--not-before', '2030-01-01T00:00:00');
  expect(zoneless.err).toContain('expected a time with its zone');

  const ids = async (...args: string[]): Promise<string[]> =>
    (await up.json<{ id: string }[]>(['task', 'ls', ...args])).map(({ id }) => id);
  expect(await ids('--label', 'team=a')).toEqual(['c2']);
  expect(await ids('--parent', 'one')).toEqual(['two']);
  expect(await ids('--search', 'TEN')).toHaveLength(1);
  expect((await ids('--sort', 'newest'))[0]).toBe('x');
  expect(await ids('--type', 'count')).toHaveLength(2);
  expect(await run('task', 'ls', '--agent', 'ghost')).toMatchObject({ code: 3, out: '' });
  expect((await run('task', 'ls', '--project', 'shop')).err).toContain('no tasks in project shop');

  const cancelled = await run('task', 'cancel', 'x', 'nowhere', 'two');
  expect(cancelled).toMatchObject({ code: 3, out: 'task x is now cancelled\ntask two is now cancelled\n' });
});

it('the last lines of an output are printed', { timeout: 180_000 }, async () => {
  await using up = await startUp(`
defaults: { review: auto }
agents:
  echo: { driver: command, command: ["seq", "1", "50"] }
`);
  await up.client.createTask({ project: 'default', id: 'a', title: 'count', agent: 'echo' });
  await up.settled('a');
  expect((await up.run(['attempt', 'logs', 'a', '--tail', '3'])).out).toBe('48\n49\n50\n');
});
