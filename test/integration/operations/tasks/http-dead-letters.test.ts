import { describe, expect, it } from 'vitest';
import { SignalboxClient } from '../../../../src/client/client.ts';
import {
  type DeadLetterPage,
  deadLetterPageSchema,
  type RedriveAnswer,
  redriveAnswerSchema,
} from '../../../../src/contracts/api/answers.ts';
import { taskKey } from '../../../../src/contracts/ids.ts';
import { functionAgent } from '../../../support/engine.ts';
import { type HttpAnswer, problemIn, startHttp, TASKS, type TestHttp } from '../../../support/http/http.ts';

const LETTERS = '/api/dead-letters';
const REDRIVE = `${LETTERS}/redrive`;

const broken = (id: string) =>
  functionAgent(
    id,
    () => {
      throw new Error(`${id} broke`);
    },
    { concurrency: 10 },
  );

async function list(http: TestHttp, query = ''): Promise<DeadLetterPage> {
  return deadLetterPageSchema.parse((await http.get(`${LETTERS}${query}`)).body);
}

function redriveIn(answer: HttpAnswer): RedriveAnswer {
  expect(answer).toMatchObject({ status: 200 });
  return redriveAnswerSchema.parse(answer.body);
}

const ids = (letters: readonly { readonly id: string }[]) => letters.map(({ id }) => id);

/** Three that failed, one in another project, and one that expired. */
async function start(): Promise<TestHttp> {
  const http = await startHttp({ agents: [broken('one'), broken('two')] });
  const fail = async (id: string, agent: string, project = 'demo') => {
    await http.post(`/api/projects/${project}/tasks`, { id, title: id, agent, max_attempts: 1 });
    const { tasks } = http.test.engine.projections.blackboard;
    await http.test.when(() => tasks.get(taskKey({ project, task: id }))?.state === 'failed' || undefined);
  };
  await fail('a', 'one');
  await fail('b', 'two');
  await fail('c', 'one');
  await fail('x', 'one', 'other');
  const expires_at = new Date(Date.now() + 1_500).toISOString();
  await http.post(TASKS, { id: 'gate', title: 'gate', agent: 'one', delay_seconds: 60 });
  await http.post(TASKS, { id: 'late', title: 'late', agent: 'one', depends_on: ['gate'], expires_at });
  await http.test.until('late', ({ state }) => state === 'expired');
  return http;
}

describe('dead letters over HTTP', () => {
  it('lists failed and expired tasks, with the last error and all attempts', async () => {
    await using http = await start();
    const { dead_letters, next } = await list(http);
    expect(next).toBeNull();
    expect(ids(dead_letters)).toEqual(['a', 'b', 'c', 'x', 'late']);
    expect(dead_letters[0]).toMatchObject({ status: 'failed', last_error: 'one broke' });
    expect(dead_letters[0]?.attempts).toMatchObject([{ attempt: 1, outcome: 'failed', error: 'one broke' }]);
    expect(dead_letters[4]).toMatchObject({ status: 'expired', attempts: [], last_error: /expires_at/ });
  });

  it('filters them, page by page', async () => {
    await using http = await start();
    expect(ids((await list(http, '?project=demo&agent=one')).dead_letters)).toEqual(['a', 'c', 'late']);
    expect(ids((await list(http, '?status=expired')).dead_letters)).toEqual(['late']);
    expect(ids((await list(http, '?state=expired')).dead_letters)).toEqual(['late']);
    const first = await list(http, '?limit=2');
    expect(ids(first.dead_letters)).toEqual(['a', 'b']);
    expect(ids((await list(http, `?limit=2&after=${first.next}`)).dead_letters)).toEqual(['c', 'x']);
    problemIn(await http.get(`${LETTERS}?status=done`), 400, 'invalid_request');
  });

  it('a dry run says what would be redriven, and changes nothing', async () => {
    await using http = await start();
    const before = http.events;
    const answer = redriveIn(await http.post(REDRIVE, { project: 'demo', agent: 'one', dry_run: true }));
    expect(answer).toMatchObject({ dry_run: true, errors: [], next: null });
    expect(ids(answer.redriven)).toEqual(['a', 'c', 'late']);
    expect(http.events).toBe(before);
  });

  it('redrives by filter: fresh attempts, with the comment for the next one', async () => {
    await using http = await start();
    const request = { project: 'demo', agent: 'one', by: 'ann', comment: 'the disk is free again' };
    const answer = redriveIn(await http.post(REDRIVE, request));
    expect(answer.redriven).toMatchObject([
      { id: 'a', status: 'failed', attempt: 1, last_error: 'one broke' },
      { id: 'c', status: 'failed' },
      { id: 'late', status: 'expired', attempt: 0 },
    ]);
    await http.test.until('a', ({ state, attempts }) => state === 'failed' && attempts === 2);
    expect((await http.get(`${TASKS}/a?expand=comments`)).body).toMatchObject({
      comments: [{ author: 'ann', body: 'the disk is free again' }],
    });
    expect((await http.get(`${TASKS}/b`)).body).toMatchObject({ attempt: 1 });
  });

  it('redrives by id, each independently, and names those that it did not redrive', async () => {
    await using http = await start();
    await http.post(TASKS, { id: 'well', title: 'x', agent: 'one', delay_seconds: 60 });
    const before = http.events;
    const request = { project: 'demo', ids: ['a', 'well', 'a', 'x'], dry_run: true };
    const expected = [
      { id: 'well', code: 'illegal_transition' },
      { id: 'x', code: 'task_not_found' },
    ];
    const dry = redriveIn(await http.post(REDRIVE, request));
    expect(ids(dry.redriven)).toEqual(['a']);
    expect(dry.errors).toMatchObject(expected);
    expect(http.events).toBe(before);
    const wet = redriveIn(await http.post(REDRIVE, { ...request, dry_run: false }));
    expect(ids(wet.redriven)).toEqual(['a']);
    expect(wet.errors).toMatchObject(expected);
    expect((await http.get(`${TASKS}/well`)).body).toMatchObject({ status: 'scheduled', version: 1 });
  });

  it('continues after the limit', async () => {
    await using http = await start();
    const first = redriveIn(await http.post(REDRIVE, { all: true, limit: 2 }));
    expect(ids(first.redriven)).toEqual(['a', 'b']);
    const rest = redriveIn(await http.post(REDRIVE, { all: true, after: first.next }));
    expect(ids(rest.redriven)).toEqual(['c', 'x', 'late']);
    expect(rest.next).toBeNull();
  });

  it('refuses a request without a selection, ids without a project, and attempt tokens', async () => {
    await using http = await start();
    const before = http.events;
    const nothing = problemIn(await http.post(REDRIVE, {}), 400, 'invalid_request');
    expect(nothing.detail).toContain('give "ids", "project"');
    const homeless = problemIn(await http.post(REDRIVE, { ids: ['a'] }), 400, 'invalid_request');
    expect(homeless.errors).toMatchObject([{ path: 'project' }]);
    const token = http.token('a');
    // Its attempt has ended, and sends no more messages.
    problemIn(await http.post(REDRIVE, { all: true }, { token }), 401, 'unauthorized');
    expect(http.events).toBe(before);
  });

  it('works with the client', async () => {
    await using http = await start();
    const client = new SignalboxClient({ url: http.url });
    expect(ids((await client.listDeadLetters({ project: 'other' })).dead_letters)).toEqual(['x']);
    expect(ids((await client.redriveDeadLetters({ project: 'other', dry_run: true })).redriven)).toEqual([
      'x',
    ]);
  });
});
