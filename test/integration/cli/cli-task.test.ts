import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventAnswer, NewTask } from '../../../src/client/client.ts';
import type { TaskAnswer } from '../../../src/contracts/api/answers.ts';
import { runCli, startUp, type TestUp } from '../../support/process/cli.ts';

const CONFIG = `
defaults: { review: auto, max_attempts: 1, kill_grace_seconds: 1 }
shutdown: { agents: kill, drain_seconds: 0.1 }
agents:
  greeter:
    driver: command
    command: ["sh", "-c", "echo hello from {task_id}"]
    capabilities: [greeting]
  loser:
    driver: command
    command: ["sh", "-c", "echo no luck >&2; exit 7"]
  colourful:
    driver: command
    command: ["sh", "-c", "printf '\\\\033[31mred\\\\033[0m\\\\007 \\\\342\\\\200\\\\256 bell\\\\n'"]
  sleeper:
    driver: command
    command: ["sleep", "600"]
`;

describe.concurrent('the task commands', () => {
  let up: TestUp;
  beforeAll(async () => {
    up = await startUp(CONFIG);
  });
  afterAll(async () => {
    await up[Symbol.asyncDispose]();
  });

  const create = (task: NewTask, project = 'default') => up.client.createTask({ project, ...task });
  const show = (id: string, ...args: string[]): Promise<TaskAnswer> =>
    up.json<TaskAnswer>(['task', 'show', id, ...args]);

  it('add --wait follows a task until it ends, and exits with 0 if it is done', async () => {
    const added = await up.run(['task', 'add', '问候', '--type', 'greeting', '--id', 'hi', '--wait']);
    expect(added).toMatchObject({ code: 0 });
    expect(added.err).toContain('created task hi in project default');
    expect(added.out).toMatch(/pending → claimed +task.claimed +attempt 1, agent greeter/);
    expect(added.out).toMatch(/task hi is done, with 1 output\n$/);

    const shown = await up.run(['task', 'show', 'hi']);
    expect(shown.out).toContain('问候');
    expect(shown.out).toContain('│ hello from hi');
    expect(shown.out).toMatch(/1 +greeter +completed +\d+ +code 0/);
  });

  it('add --wait exits with 1 and prints the reason if the task fails', async () => {
    const { code, out } = await up.run(['task', 'add', 'x', '--agent', 'loser', '--wait']);
    expect(code).toBe(1);
    expect(out).toContain('has failed: exited with code 7');
  });

  it('add sends the values of all its options', async () => {
    const { code, out } = await up.run(
      [
        ...['task', 'add', 'all', '--agent', 'greeter', '--json', '--id', 'all', '--description', '-'],
        ...['--params', '{"a": [1]}', '--priority', 'high', '--delay', '3600', '--timeout', '9'],
        ...['--max-attempts', '2', '--review', 'manual', '--label', 'team=blue', '--label', 'x=a=b'],
        ...[
          '--link',
          'https://example.org/issues/7',
          '--must-have',
          'one',
          '--must-have',
          'two',
          '--expires-at',
          '2999-01-01T00:00:00Z',
        ],
        ...['--idempotency-key', 'key-1'],
      ],
      { input: 'a long story\n' },
    );
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      id: 'all',
      status: 'scheduled',
      description: 'a long story\n',
      params: { a: [1] },
      priority: 10,
      timeout_seconds: 9,
      max_attempts: 2,
      review: 'manual',
      labels: { team: 'blue', x: 'a=b' },
      must_haves: ['one', 'two'],
      links: ['https://example.org/issues/7'],
      expires_at: '2999-01-01T00:00:00.000Z',
    });
  });

  it('add reports that an equal request has created the task, and rejects a different one with the same id', async () => {
    const args = ['task', 'add', 'once', '--agent', 'greeter', '--id', 'once'];
    expect((await up.run(args)).out).toBe('created task once in project default\n');
    expect((await up.run(args)).out).toBe(
      'task once in project default already exists, created by the same request\n',
    );
    const other = await up.run([...args, '--priority', '1']);
    expect(other.code).toBe(4);
    expect(other.err).toMatch(/^signalbox: .* \[task_exists\]\n$/);
  });

  it('watch prints a rejection and the following approval as they happen', async () => {
    await create({ title: 'r', agent: 'greeter', id: 'r', review: 'manual', max_attempts: 2 });
    await using watch = await up.start(['task', 'watch', 'r']);
    await watch.until(/working → review/);
    const rejected = await up.run(['task', 'reject', 'r', '--comment', 'louder', '--by', 'Mia']);
    expect(rejected).toMatchObject({ code: 0, out: 'task r is now pending\n' });
    await watch.until(/review → pending +task.rejected +by Mia: louder/);
    await watch.until(/attempt 2[\s\S]*working → review/);
    expect((await up.run(['task', 'approve', 'r'])).out).toBe('task r is now done\n');
    const { code, out, err } = await watch.ended;
    expect(code).toBe(0);
    expect(out).toMatch(/task r is done, with 2 outputs\n$/);
    expect(err).toContain('waiting for a review: "signalbox task approve r --project default"');
    expect((await show('r')).comments).toMatchObject([{ author: 'Mia', body: 'louder' }]);
  });

  it('watch --json prints one event per line, and exits with 1 for a failed task', async () => {
    await create({ title: 'j', agent: 'loser', id: 'j' });
    const { code, out } = await up.run(['task', 'watch', 'j', '--json']);
    expect(code).toBe(1);
    const events = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as EventAnswer);
    expect(events.map(({ event }) => event.type)).toEqual([
      'task.created',
      'task.claimed',
      'attempt.started',
      'attempt.ended',
    ]);
    expect((await show('j', '--events')).events).toHaveLength(4);
  });

  it('cancels, blocks, unblocks, retries and comments', async () => {
    const said = async (...args: string[]): Promise<string> => (await up.run(['task', ...args])).out;
    await create({ title: 'c', agent: 'greeter', id: 'c', delay_seconds: 600 });
    const holdUp = async (): Promise<void> => {
      expect(await said('block', 'c', '--comment', 'wait')).toBe('task c is now blocked\n');
      expect(await said('edit', 'c', '--priority', 'high', '--comment', 'a deadline')).toBe(
        'task c is now "c", for greeter, priority 10\n',
      );
      expect(await said('comment', 'c', 'hurry up')).toBe('task c now has 2 comments\n');
      expect(await said('unblock', 'c')).toBe('task c is now pending\n');
    };
    const cancel = async (): Promise<void> => {
      await create({ title: 's', agent: 'sleeper', id: 's' });
      await create({ title: 'b', agent: 'greeter', id: 'b', parent: 's', delay_seconds: 600 });
      expect(await said('cancel', 's', '--children', '--comment', 'enough')).toBe(
        'task s is now cancelled, with 1 task below it\n',
      );
      expect(await show('b')).toMatchObject({ status: 'cancelled' });
    };
    const retry = async (): Promise<void> => {
      await create({ title: 'f', agent: 'loser', id: 'f' });
      await up.settled('f');
      expect(await said('retry', 'f')).toBe('task f is now pending\n');
    };
    await Promise.all([holdUp(), cancel(), retry()]);
  });

  it('edits tasks: what is given changes, what is cleared is gone, and the log says from what to what', async () => {
    const held = { agent: 'greeter', delay_seconds: 600, labels: { team: 'core', round: '1' } };
    for (const id of ['e1', 'e2']) await create({ ...held, title: id, id });
    const many = await up.run([
      'task',
      'edit',
      'e1',
      'e2',
      'ghost',
      '--label',
      'round=2',
      '--remove-label',
      'team',
    ]);
    expect(many.out).toBe(
      'task e1 is now "e1", for greeter, priority 5\ntask e2 is now "e2", for greeter, priority 5\n',
    );
    expect(many.code).toBe(3);
    expect(many.err).toContain('project default has no task ghost');
    const args = ['--title', 'Else', '--description', '-', '--type', 'greet', '--clear', 'agent,labels'];
    const one = await up.run(['task', 'edit', 'e1', ...args], { input: 'Line\nby line\n' });
    expect(one.err).toContain('--clear: "labels" is not one of agent, type, action,');
    expect(one.code).toBe(2);
    args[args.length - 1] = 'agent';
    expect((await up.run(['task', 'edit', 'e1', ...args], { input: 'Line\nby line\n' })).out).toBe(
      'task e1 is now "Else", for any greet, priority 5\n',
    );
    expect(await show('e1')).toMatchObject({
      title: 'Else',
      description: 'Line\nby line\n',
      agent: null,
      type: 'greet',
      labels: { round: '2' },
    });
    const { out } = await up.run(['task', 'show', 'e1', '--events']);
    expect(out).toContain('title, description, agent greeter → none, type none → greet');
    await up.run(['task', 'cancel', 'e1', 'e2']);
    const ended = await up.run(['task', 'edit', 'e1', '--title', 'x']);
    expect(ended.err).toContain('task e1 is cancelled: what has ended is not edited');
    expect(ended.code).toBe(4);
  });

  it('ls filters, pages and aligns columns', async () => {
    for (const id of ['p1', 'p2', 'p3']) {
      await create({ title: `任务 ${id}`, agent: 'sleeper', id, delay_seconds: 600 }, 'list');
    }
    const list = ['task', 'ls', '--project', 'list'];
    const { out } = await up.run(list);
    const [head = '', ...rows] = out.trimEnd().split('\n');
    expect(head).toMatch(/^ID +STATUS +AGENT +PRIO +TRY +COST +AGE +TITLE$/);
    expect(rows).toHaveLength(3);
    for (const row of rows) expect(row.indexOf('任务')).toBe(head.indexOf('TITLE'));
    const two = await up.run([...list, '--limit', '2']);
    expect(two.out.trimEnd().split('\n')).toHaveLength(3);
    expect(two.err).toContain('more than 2');
    expect((await up.run([...list, '--status', 'done'])).err).toBe(
      'no matching tasks in project list (--all-projects lists all)\n',
    );
    const scheduled = await up.json<TaskAnswer[]>([...list, '--state', 'scheduled,done']);
    expect(scheduled.map(({ id }) => id)).toEqual(['p1', 'p2', 'p3']);
    const wrong = await up.run([...list, '--status', 'nope']);
    expect(wrong).toMatchObject({ code: 2 });
    expect(wrong.err).toContain('is not one of scheduled, pending');
  });

  it('shows control characters of an agent as symbols, and sends none of them to the terminal', async () => {
    await create({ title: 'c', agent: 'colourful', id: 'esc' });
    await up.settled('esc');
    const { out } = await up.run(['task', 'show', 'esc', '--full']);
    expect(out).toContain('␛[31mred␛[0m␇ \ufffd bell');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the test checks that there are none.
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect((await show('esc')).outputs?.[0]?.content).toContain('\u001b[31m');
  });

  it('exits with different codes for missing tasks, conflicts and invalid arguments', async () => {
    await create({ title: 'x', agent: 'greeter', id: 'ended' });
    await up.settled('ended');
    const [missing, clash, badId, noAgent, absent, away] = await Promise.all([
      up.run(['task', 'show', 'absent']),
      up.run(['task', 'approve', 'ended']),
      up.run(['task', 'show', 'a.b']),
      up.run(['task', 'add', 'x', '--agent', 'absent']),
      up.run(['task', 'add', 'x']),
      runCli(['task', 'ls', '--url', 'http://127.0.0.1:9']),
    ]);
    expect(missing).toMatchObject({ code: 3, out: '' });
    expect(missing.err).toBe('signalbox: project default has no task absent [task_not_found]\n');
    expect([clash.code, badId.code, noAgent.code]).toEqual([4, 2, 3]);
    expect(absent.code).toBe(2);
    expect(absent.err).toContain('give "agent" for one agent');
    expect(away.code).toBe(5);
    expect(away.err).toContain('[unreachable]');
  });

  it('ends without an error when its standard output is closed', async () => {
    await using watch = await up.start(['task', 'ls', '--all-projects']);
    watch.closeOutput();
    expect(await watch.ended).toMatchObject({ err: '' });
  });
});
