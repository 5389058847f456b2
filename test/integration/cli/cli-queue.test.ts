/** Queues on the command line, across a kill of Signalbox. */
import { describe, expect, it } from 'vitest';
import { type CliResult, runCli } from '../../support/process/cli.ts';
import { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';

const TASKS = '/api/projects/demo/tasks';
const echo = { driver: 'command', command: ['echo', 'done'], capabilities: ['build'] };
const config = { agents: { one: echo, two: echo }, defaults: { review: 'auto' } };

describe('queues on the command line', () => {
  it('are paused and resumed; a pause survives kill -9', { timeout: 90_000 }, async () => {
    await using sandbox = await Sandbox.create({ config });
    await sandbox.up();
    const run = (line: string, ...more: string[]): Promise<CliResult> =>
      runCli([...line.split(' '), ...more, '--url', sandbox.url]);
    const stateOf = async (id: string): Promise<string> =>
      (await sandbox.get<{ status: string }>(`${TASKS}/${id}`)).status;

    expect((await run('queue ls')).out).not.toContain('paused');
    const paused = await run('queue pause type build --by ann', '--comment', 'the lab moves');
    expect(paused).toEqual({
      code: 0,
      err: '',
      out: 'the queue of type build is now paused, 0 pending\n',
    });
    await sandbox.post(TASKS, { id: 'a', title: 'x', type: 'build' });
    await sandbox.kill('SIGKILL');
    await sandbox.up();

    await sandbox.post(TASKS, { id: 'b', title: 'x', type: 'build' });
    await sandbox.post(TASKS, { id: 'own', title: 'x', agent: 'two' });
    await until(async () => (await stateOf('own')) === 'done', 'the other queue goes on');
    expect([await stateOf('a'), await stateOf('b')]).toEqual(['pending', 'pending']);
    expect((await run('queue ls')).out).toMatch(
      /^\(build\) .* 2 .*one, two +for \d+s by ann: the lab moves$/m,
    );
    const listed = JSON.parse((await run('queue ls --json')).out) as readonly object[];
    expect(listed).toMatchObject([
      { kind: 'agent', name: 'one', paused: null },
      { kind: 'agent', name: 'two', paused: null },
      { kind: 'type', name: 'build', pending: 2, paused: { by: 'ann', reason: 'the lab moves' } },
    ]);
    const why = (await run('task why b --project demo')).out;
    expect(why).toContain('the queue of type build is paused by ann since');
    expect(why).toContain('"signalbox queue resume type build"');

    expect((await run('queue pause type build')).code).toBe(4);
    expect(await run('queue pause type paint')).toMatchObject({
      code: 3,
      err: expect.stringContaining('There are: agent one, agent two, type build'),
    });
    expect((await run('queue pause project demo')).code).toBe(2);
    const resumed = await run('queue resume type build --json');
    expect(JSON.parse(resumed.out)).toMatchObject({ kind: 'type', name: 'build', paused: null });
    await until(async () => (await stateOf('a')) === 'done' && (await stateOf('b')) === 'done', 'both go on');
  });
});
