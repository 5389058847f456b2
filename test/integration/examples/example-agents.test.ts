import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { messageOf } from '../../../src/contracts/errors.ts';
import {
  AGENTS,
  Board,
  Directory,
  EXAMPLES,
  run,
  runAgent,
  TOKEN,
} from '../../support/process/example-agents.ts';

/** Why line 113 of the sample is broken, in the words of the Node.js that runs the tests. */
const REASON = parseError(readFileSync(join(EXAMPLES, 'data', 'usage.jsonl'), 'utf8').split('\n')[112] ?? '');
const BROKEN_AT_113 = `usage.jsonl: line 113 is not a usage record: ${REASON}`;
const HAPPY = ['status working', 'outputs document', 'outputs data', 'status review'];

describe.concurrent('every example agent', () => {
  it.each([
    ['code-review.mjs', { params: { repo: AGENTS } }, HAPPY],
    ['data-analysis.mjs', {}, HAPPY],
    ['changelog.mjs', { params: { repo: '.' } }, ['status working', 'outputs document', 'status review']],
    [
      'flaky-then-learns.mjs',
      { attempts: [{ attempt: 1, outcome: 'failed', error: BROKEN_AT_113 }] },
      ['status working', 'comments tester', 'outputs document', 'outputs data', 'status review'],
    ],
  ])(
    '%s reports working, posts its outputs, asks for review, and never prints its token',
    async (name, task, words) => {
      await using directory = await Directory.create({
        'prompt.md': `curl -H 'Authorization: Bearer ${TOKEN}'`,
      });
      await using board = await Board.open({ task });
      const promptFile = join(directory.path, 'prompt.md');

      const { code, stdout, stderr } = await runAgent(name, board, { attempt: 2, promptFile });

      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(board.messages).toEqual(words);
      expect(board.calls.map((call) => call.authorization)).toEqual(board.calls.map(() => `Bearer ${TOKEN}`));
      expect(
        new Set(board.calls.map((call) => call.path.split('?')[0]?.split('/').slice(0, 6).join('/'))),
      ).toEqual(new Set(['/api/projects/demo/tasks/task-1']));
      const bodies = board.calls.map((call) => JSON.stringify(call.body)).join('\n');
      expect(bodies + stdout + stderr).not.toContain(TOKEN);
      for (const { agent } of [...board.posted('status'), ...board.posted('outputs')])
        expect(agent).toBe('tester');
    },
  );

  it('tries again when the connection is lost', async () => {
    await using board = await Board.open({ answer: (_, index) => (index < 2 ? 'cut' : undefined) });
    expect((await runAgent('data-analysis.mjs', board)).code).toBe(0);
    expect(board.calls.slice(0, 3).map(({ method }) => method)).toEqual(['GET', 'GET', 'GET']);
    expect(board.messages).toEqual(HAPPY);
  });

  it('comes back after the time that a 503 names', async () => {
    const times: number[] = [];
    await using board = await Board.open({
      answer: ({ method }) => {
        if (method === 'GET') return undefined;
        times.push(performance.now());
        return times.length === 1 ? { status: 503, headers: { 'retry-after': '1' } } : undefined;
      },
    });

    expect((await runAgent('data-analysis.mjs', board)).code).toBe(0);
    expect(board.messages).toEqual(['status working', ...HAPPY]);
    const [first = 0, second = 0] = times;
    expect(second - first).toBeGreaterThanOrEqual(990);
  });

  it('stops at once without an error when its attempt is over', async () => {
    await using board = await Board.open({
      answer: ({ path }) =>
        path.endsWith('/outputs')
          ? { status: 409, body: { code: 'stale_attempt', detail: 'attempt 1 is over' } }
          : undefined,
    });

    const { code, stdout, stderr } = await runAgent('data-analysis.mjs', board);

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('409 attempt 1 is over');
    expect(board.messages).toEqual(['status working', 'outputs document']);
  });

  it.each([
    ['outputs', 413, { title: 'Too large', detail: 'limit 1 MB' }, '413 limit 1 MB'],
    ['outputs', 500, { title: 'Something broke' }, '500 Something broke'],
    ['status', 409, { code: 'output_required', detail: 'no output yet' }, '409 no output yet'],
  ])('fails with the reason of a refusal: %s %i', async (path, status, body, problem) => {
    await using board = await Board.open({
      answer: (call) =>
        call.path.endsWith(path) && call.body.status !== 'failed' ? { status, body } : undefined,
    });

    const { code, stderr } = await runAgent('data-analysis.mjs', board);

    const reason = `POST /api/projects/demo/tasks/task-1/${path}: ${problem}`;
    expect({ code, stderr }).toEqual({ code: 1, stderr: `${reason}\n` });
    expect(board.posted('status').at(-1)).toEqual({ status: 'failed', agent: 'tester', detail: reason });
  });

  it('names the missing variables when it is started without Signalbox', async () => {
    const ended = await run([process.execPath, join(AGENTS, 'code-review.mjs')], { PATH: process.env.PATH });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('SIGNALBOX_TOKEN is not set');
  });
});

describe.concurrent('data-analysis.mjs', () => {
  const CSV = [
    'team,points,note,date',
    'red,1,"one, two",2025-01-06',
    'red,2,"say ""hi""',
    'and more",2025-01-07',
    'red,3,,2025-01-13',
    'blue,10,,2025-01-13',
    'blue,,missing,2025-01-14',
    'blue,ten,,2025-01-14',
    'blue,20',
    '',
  ].join('\r\n');

  it('reads quotes, commas, line breaks and CRLF, and counts values that are missing or no number', async () => {
    await using directory = await Directory.create({ 'points.csv': CSV });
    await using board = await Board.open({
      task: { params: { file: 'points.csv', group_by: 'team', value: 'points' } },
    });

    expect((await runAgent('data-analysis.mjs', board, { cwd: directory.path })).code).toBe(0);
    const [report, data] = board.posted('outputs');
    const figures = JSON.parse(data.content);

    expect(figures.counts).toEqual({ rows: 7, missing: 1, unusable: 2, outliers: 0 });
    expect(figures.unusable_values).toEqual([
      { line: 8, text: 'ten' },
      { line: 9, text: '2 fields instead of 4' },
    ]);
    expect(figures.groups).toEqual([
      { group: 'blue', count: 1, sum: 10, mean: 10, median: 10, p95: 10, min: 10, max: 10 },
      { group: 'red', count: 3, sum: 6, mean: 2, median: 2, p95: 2.9, min: 1, max: 3 },
    ]);
    expect(figures.trend.weeks).toEqual(['2025-01-06', '2025-01-13']);
    expect(figures.trend.series[0]).toEqual({ name: 'all', medians: [1.5, 6.5], growth: 5 });
    expect(report.content).toContain('| red | 3 | 2 | 2 | 2.9 | 3 | 6 |');
  });

  it('finds the extreme run and the faulty lines of the sample', async () => {
    await using board = await Board.open();
    await runAgent('data-analysis.mjs', board);
    const figures = JSON.parse(board.posted('outputs')[1].content);

    expect(figures.counts).toEqual({ rows: 420, missing: 5, unusable: 1, outliers: 31 });
    expect(figures.outlier_values[0]).toMatchObject({ line: 248, group: 'atlas', value: 14400 });
    expect(figures.groups.map((each: { median: number }) => each.median)).toEqual([
      146.45, 182.7, 238.75, 171.5,
    ]);
    expect(figures.trend.weeks).toHaveLength(8);
  });

  it.each([
    [{ value: 'price' }, /^no column "price"; the file has "run_id", "date"/],
    [{ value: 'title' }, /^no number in column "title" of 420 rows$/],
    [{ value: 7 }, /^params.value must be a string, not 7$/],
    [{ file: 'nowhere.csv' }, /nowhere\.csv/],
  ])('fails with what to correct: %j', async (params, reason) => {
    await using board = await Board.open({ task: { params } });
    expect((await runAgent('data-analysis.mjs', board)).code).toBe(1);
    expect(board.posted('status').at(-1)).toMatchObject({
      status: 'failed',
      detail: expect.stringMatching(reason),
    });
    expect(board.posted('outputs')).toEqual([]);
  });
});

describe.concurrent('flaky-then-learns.mjs', () => {
  const learned = {
    attempts: [{ attempt: 1, outcome: 'failed', error: 'exit code 1', stderr_tail: `${BROKEN_AT_113}\n` }],
  };
  const killed = { attempts: [{ attempt: 1, outcome: 'timed_out', error: 'no end after 60 s' }] };
  const otherFile = {
    attempts: [{ attempt: 1, outcome: 'failed', error: 'other.jsonl: line 3 is not a usage record: x' }],
  };

  it.each([
    ['the first attempt', {}, 1, '', false],
    ['a first attempt, whatever its prompt quotes', {}, 1, BROKEN_AT_113, false],
    ['a retry that Signalbox tells of the broken line', learned, 2, '', true],
    [
      'a retry whose prompt alone tells of it',
      {},
      2,
      `# Task\n- Attempt 1 (a): failed: ${BROKEN_AT_113}\n`,
      true,
    ],
    ['a retry whose task alone tells of it', { reason: BROKEN_AT_113 }, 2, '', true],
    ['a retry after a timeout', killed, 2, '', false],
    ['a retry after a failure with another file', otherFile, 2, '', false],
  ])('%s', async (_, task, attempt, prompt, succeeds) => {
    await using directory = await Directory.create({ 'prompt.md': prompt });
    await using board = await Board.open({ task });

    const { code, stderr } = await runAgent('flaky-then-learns.mjs', board, {
      attempt,
      promptFile: join(directory.path, 'prompt.md'),
    });

    if (!succeeds) {
      expect({ code, stderr }).toEqual({ code: 1, stderr: `${BROKEN_AT_113}\n` });
      expect(board.posted('status').at(-1)).toEqual({
        status: 'failed',
        agent: 'tester',
        detail: BROKEN_AT_113,
      });
      expect(board.posted('outputs')).toEqual([]);
      return;
    }
    expect(code).toBe(0);
    expect(board.posted('comments')[0].body).toContain(`"${BROKEN_AT_113}"`);
    const { totals, broken } = JSON.parse(board.posted('outputs')[1].content);
    expect(broken).toEqual([{ line: 113, reason: REASON }]);
    expect(totals.map((each: { records: number }) => each.records)).toEqual([36, 61, 33, 49]);
  });
});

describe.concurrent('changelog.mjs', () => {
  it('sorts commits by tag and kind, with conventional subjects or plain ones', async () => {
    await using repo = await Directory.create();
    await repo.git('init', '--quiet');
    await repo.commit('Add the parser', { a: '1' });
    await repo.commit('1.0.0', { a: '2' });
    await repo.git('tag', 'v1.0.0');
    await repo.commit('fix(parser): accept tabs', { a: '3' });
    await repo.commit('feat!: drop the old format', { a: '4' });
    await repo.commit('http: close idle sockets', { a: '5' });
    await using board = await Board.open({ task: { params: { repo: repo.path } } });

    expect((await runAgent('changelog.mjs', board)).code).toBe(0);

    const text: string = board.posted('outputs')[0].content;
    const timeless = text.replaceAll(/ \([0-9a-f]{7,}\)/g, '').replaceAll(/\d{4}-\d\d-\d\d/g, 'DATE');
    expect(timeless.split('\n').filter(Boolean)).toEqual([
      '# Changelog',
      '## Unreleased',
      '### Breaking',
      '- drop the old format',
      '### Changed',
      '- http: close idle sockets',
      '### Fixed',
      '- **parser**: accept tabs',
      '## v1.0.0 (DATE)',
      '### Added',
      '- Add the parser',
    ]);
  });

  it('writes the outline of the README without a history', async () => {
    await using repo = await Directory.create({
      'README.md': '# Top\n\n```sh\n# no heading\n```\n\n## Part #\n',
    });
    await using board = await Board.open({ task: { params: { repo: repo.path } } });
    expect((await runAgent('changelog.mjs', board)).code).toBe(0);
    expect(board.posted('outputs')[0].content).toBe(
      '# Outline of README.md\n\n- Top (line 1)\n  - Part (line 7)',
    );
  });
});

function parseError(text: string): string {
  try {
    return `no error in ${JSON.stringify(JSON.parse(text))}`;
  } catch (error) {
    return messageOf(error);
  }
}
