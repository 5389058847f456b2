import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { functionAgent } from '../../support/engine.ts';
import { Gate, problemIn, startHttp, TASKS, type TestHttp, taskIn } from '../../support/http/http.ts';

const start = (gate: Gate) =>
  startHttp({ agents: [functionAgent('worker', gate.handler, { concurrency: 4, lingerMs: 60_000 })] });

const document = { agent: 'worker', type: 'document', title: 'report', content: 'all is well' };

describe('messages of agents over HTTP', () => {
  it('accepts progress, an output, a comment and a request for review from the open attempt', async () => {
    const gate = new Gate();
    await using http = await start(gate);
    await http.working('a');
    const token = http.token('a');
    const say = (path: string, body: object) => http.post(`${TASKS}/a/${path}`, body, { token });

    const progress = await say('status', { status: 'working', agent: 'worker', detail: 'half way' });
    expect(taskIn(progress).progress).toBe('half way');
    problemIn(await say('status', { status: 'review' }), 409, 'output_required');
    expect(taskIn(await say('outputs', document), 201).output_count).toBe(1);
    expect(taskIn(await say('comments', { body: 'look at line 3' }), 201).comment_count).toBe(1);
    expect(taskIn(await say('status', { status: 'review' })).status).toBe('review');
    // An answer that was lost is asked for again.
    expect(taskIn(await say('status', { status: 'review' })).status).toBe('review');

    gate.open();
    await http.test.until('a', ({ state }) => state === 'done');
    const task = taskIn(await http.get(`${TASKS}/a?expand=outputs,comments`));
    expect(task.outputs).toMatchObject([{ title: 'report', content: 'all is well', agent: 'worker' }]);
    expect(task.comments).toMatchObject([{ author: 'worker', body: 'look at line 3' }]);
  });

  it('takes no result from an agent whose last report was refused, and which only ends', async () => {
    const gate = new Gate();
    await using http = await start(gate);
    for (const id of ['bad', 'mended', 'reported', 'without']) {
      await http.post(TASKS, {
        id,
        title: id,
        agent: 'worker',
        max_attempts: 1,
        review: 'auto',
        outputs: 'optional',
      });
      await http.test.until(id, ({ state }) => state === 'working');
    }
    const say = (id: string, raw: string) =>
      http.post(`${TASKS}/${id}/outputs`, undefined, { raw, token: http.token(id) });
    problemIn(await say('bad', "{ 'type': 'document' }"), 400, 'invalid_request');
    problemIn(await say('mended', '{}'), 400, 'invalid_request');
    taskIn(await say('mended', JSON.stringify(document)), 201);
    taskIn(await say('reported', JSON.stringify(document)), 201);
    problemIn(await say('reported', '{}'), 400, 'invalid_request');
    gate.open();
    const ends = await Promise.all(
      ['bad', 'mended', 'reported', 'without'].map(async (id) => {
        await http.test.until(id, ({ openAttempt }) => openAttempt === null);
        const { status, attempts } = taskIn(await http.get(`${TASKS}/${id}?expand=attempts`));
        return [id, status, attempts?.[0]?.error];
      }),
    );
    expect(ends).toEqual([
      [
        'bad',
        'failed',
        expect.stringMatching(/^its report to Signalbox was refused, and it made no other: body: /),
      ],
      ['mended', 'done', null],
      ['reported', 'done', null],
      ['without', 'done', null],
    ]);
  });

  it('captures the file that content_path names', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'signalbox-http-'));
    try {
      await using http = await start(new Gate());
      await http.working('a');
      const { attempts, data } = http.test.app.settings.directories;
      const directory = join(attempts, 'demo', 'a', '1', 'work');
      await mkdir(directory, { recursive: true });
      const content_path = join(directory, 'table.csv');
      await writeFile(content_path, 'a,b\n1,2\n');
      const output = { type: 'data', title: 'table' };
      const sent = { token: http.token('a') };
      taskIn(await http.post(`${TASKS}/a/outputs`, { ...output, content_path }, sent), 201);
      const { outputs } = taskIn(await http.get(`${TASKS}/a?expand=outputs`));
      expect(outputs).toMatchObject([{ content: null, content_file: { path: content_path, size: 8 } }]);

      const before = http.events;
      const missing = { ...output, content_path: join(directory, 'none') };
      problemIn(await http.post(`${TASKS}/a/outputs`, missing, sent), 422, 'content_unreadable');

      // What lies elsewhere, by its own path, by a link, and by a link on the way; and what is no file.
      await writeFile(join(elsewhere, 'table.csv'), 'secret');
      await writeFile(join(data, 'secret'), 'secret');
      await symlink(join(elsewhere, 'table.csv'), join(directory, 'link'));
      await symlink(elsewhere, join(directory, 'way'));
      execFileSync('mkfifo', [join(directory, 'fifo')]);
      const refused = ['link', 'way/table.csv', 'fifo', '.'].map((name) => join(directory, name));
      const outside = [
        join(elsewhere, 'table.csv'),
        join(data, 'secret'),
        '/etc/passwd',
        '/proc/self/environ',
      ];
      for (const path of [...refused, ...outside, '/dev/zero']) {
        const request = { ...output, content_path: path };
        problemIn(await http.post(`${TASKS}/a/outputs`, request, sent), 422, 'content_unreadable');
      }
      await truncate(content_path, 300 * 1_024 * 1_024);
      problemIn(
        await http.post(`${TASKS}/a/outputs`, { ...output, content_path }, sent),
        413,
        'body_too_large',
      );
      expect(http.events).toBe(before);
    } finally {
      await rm(elsewhere, { recursive: true });
    }
  });

  it('refuses a message without a token, with a wrong one and with that of another task: 401, not recorded', async () => {
    await using http = await start(new Gate());
    await http.working('a');
    await http.working('b');
    const before = http.events;
    const refused = [
      {},
      { token: http.token('b') },
      { token: http.token('a', 2) },
      { headers: { authorization: 'Basic YTpi' } },
      { headers: { authorization: 'Bearer' } },
    ];
    for (const sent of refused) {
      const answer = await http.post(`${TASKS}/a/status`, { status: 'working' }, sent);
      problemIn(answer, 401, 'unauthorized');
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
    problemIn(await http.post(`${TASKS}/a/outputs`, document), 401, 'unauthorized');
    const comment = { author: 'worker', body: 'x' };
    const foreign = { token: http.token('b') };
    problemIn(await http.post(`${TASKS}/a/comments`, comment, foreign), 401, 'unauthorized');
    expect(http.events).toBe(before);
  });

  it('refuses messages of an attempt that is over with 409, and records them', async () => {
    const gate = new Gate();
    await using http = await start(gate);
    await http.working('a');
    await failFirstAttempt(http);
    await http.test.until('a', ({ state, attempts }) => state === 'working' && attempts === 2);
    const { version } = taskIn(await http.get(`${TASKS}/a`));

    const late = { token: http.token('a', 1) };
    const words = [
      ['status', { status: 'review' }],
      ['outputs', document],
      ['comments', { body: 'I am still here' }],
    ] as const;
    for (const [path, body] of words) {
      const problem = problemIn(await http.post(`${TASKS}/a/${path}`, body, late), 409, 'stale_attempt');
      expect(problem.details).toEqual({ status: 'working', attempt: 1, open_attempt: 2 });
    }
    const task = taskIn(await http.get(`${TASKS}/a?expand=attempts`));
    expect(task).toMatchObject({ version, status: 'working', output_count: 0, comment_count: 0 });
    expect(task.attempts?.[0]?.rejected_messages.map(({ message }) => message)).toEqual([
      'status',
      'output',
      'comment',
    ]);
  });

  it('accepts a comment of a user without a token, with a name', async () => {
    await using http = await start(new Gate());
    await http.working('a');
    const said = await http.post(`${TASKS}/a/comments`, { author: 'ann', body: 'well done' });
    expect(taskIn(said, 201).comment_count).toBe(1);
    problemIn(await http.post(`${TASKS}/a/comments`, { body: 'who am I' }), 400, 'invalid_request');
  });
});

/** By the agent's own word; its function ends when it is stopped for lingering, or by the end of the test. */
async function failFirstAttempt(http: TestHttp): Promise<void> {
  const report = { status: 'failed', detail: 'no luck' };
  const failed = await http.post(`${TASKS}/a/status`, report, { token: http.token('a') });
  expect(taskIn(failed)).toMatchObject({ status: 'scheduled', reason: 'no luck' });
  http.test.app.supervision.supervisor.attempts.requestStop(
    { project: 'demo', task: 'a', attempt: 1 },
    'operator',
  );
}
