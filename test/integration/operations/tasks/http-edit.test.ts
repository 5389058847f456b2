import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../../src/contracts/errors.ts';
import { functionAgent } from '../../../support/engine.ts';
import { Gate, problemIn, startHttp, TASKS, taskIn } from '../../../support/http/http.ts';

const start = (gate = new Gate()) =>
  startHttp({
    agents: [
      functionAgent('worker', gate.handler),
      functionAgent('echo', () => 'x'),
      functionAgent('other', () => 'y'),
    ],
  });
const WAITING = { title: 'Review', description: 'All of it', agent: 'echo', delay_seconds: 60 };

describe('editing a task over HTTP', () => {
  it('changes what it names, keeps the rest, and records what was there before', async () => {
    await using http = await start();
    await http.post(TASKS, { ...WAITING, id: 'a', labels: { team: 'core', old: 'x' }, priority: 2 });
    const expires_at = new Date(Date.now() + 3_600_000).toISOString();
    const edited = await http.patch(`${TASKS}/a`, {
      title: 'Review the parser',
      agent: 'other',
      priority: 'high',
      labels: { team: 'parser', old: null },
      expires_at,
      must_haves: ['a verdict'],
      by: 'ann',
      comment: 'the parser only',
    });
    expect(taskIn(edited)).toMatchObject({
      title: 'Review the parser',
      description: 'All of it',
      agent: 'other',
      priority: 10,
      labels: { team: 'parser' },
      expires_at,
      must_haves: ['a verdict'],
      status: 'scheduled',
      comment_count: 1,
    });
    const { events, comments } = taskIn(await http.get(`${TASKS}/a?expand=all`));
    expect(comments).toMatchObject([{ author: 'ann', body: 'the parser only' }]);
    expect(events?.at(-1)).toMatchObject({
      actor: 'user:ann',
      event: {
        type: 'task.edited',
        changes: {
          title: { from: 'Review', to: 'Review the parser' },
          agent: { from: 'echo', to: 'other' },
          priority: { from: 2, to: 10 },
          labels: { from: { team: 'core', old: 'x' }, to: { team: 'parser' } },
          expires_at_ms: { from: null, to: Date.parse(expires_at) },
          must_haves: { from: null, to: ['a verdict'] },
        },
      },
    });
    // null removes a value.
    const cleared = await http.patch(`${TASKS}/a`, {
      expires_at: null,
      labels: { team: null },
      must_haves: null,
    });
    expect(taskIn(cleared)).toMatchObject({ expires_at: null, labels: {}, must_haves: [] });
  });

  it('records nothing if nothing changes, so that it can be repeated', async () => {
    await using http = await start();
    await http.post(TASKS, { ...WAITING, id: 'a', labels: { team: 'core' } });
    const edit = { title: 'Else', labels: { team: 'core', gone: null }, priority: 'normal' };
    taskIn(await http.patch(`${TASKS}/a`, edit));
    const before = http.events;
    expect(taskIn(await http.patch(`${TASKS}/a`, edit)).title).toBe('Else');
    expect(http.events).toBe(before);
  });

  it('is used by the next attempt: its agent, its texts and its limits', async () => {
    await using http = await start();
    await http.post(TASKS, { ...WAITING, id: 'a' });
    taskIn(await http.patch(`${TASKS}/a`, { agent: 'other', review: 'manual', title: 'Changed' }));
    await http.post(`${TASKS}/a/block`);
    await http.post(`${TASKS}/a/unblock`);
    await http.test.until('a', ({ state, openAttempt }) => state === 'review' && openAttempt === null);
    const { claimed_by, outputs } = taskIn(await http.get(`${TASKS}/a?expand=outputs`));
    expect(claimed_by).toBe('other');
    expect(outputs).toMatchObject([{ agent: 'other', title: 'Changed' }]);
  });

  it('is refused with a code of its own while an attempt is open, but for the priority', async () => {
    await using http = await start();
    await http.working('a');
    const before = http.events;
    const { detail, details } = problemIn(
      await http.patch(`${TASKS}/a`, { title: 'x' }),
      409,
      'not_editable',
    );
    expect(detail).toContain('attempt 1 of task a is open');
    expect(details).toMatchObject({ status: 'working', attempt: 1 });
    problemIn(await http.patch(`${TASKS}/a`, { title: 'x', priority: 9 }), 409, 'not_editable');
    expect(http.events).toBe(before);
    expect(taskIn(await http.patch(`${TASKS}/a`, { priority: 9 })).priority).toBe(9);
  });

  it('is refused for a result in review and for what has ended', async () => {
    await using http = await start();
    await http.post(TASKS, { id: 'a', title: 'x', agent: 'echo', review: 'manual' });
    await http.test.until('a', ({ state, openAttempt }) => state === 'review' && openAttempt === null);
    problemIn(await http.patch(`${TASKS}/a`, { title: 'y' }), 409, 'not_editable');
    expect(taskIn(await http.patch(`${TASKS}/a`, { priority: 1 })).priority).toBe(1);
    await http.post(`${TASKS}/a/approve`);
    const ended = problemIn(await http.patch(`${TASKS}/a`, { priority: 9 }), 409, 'not_editable');
    expect(ended.detail).toContain('task a is done');
    problemIn(await http.patch(`${TASKS}/ghost`, { title: 'y' }), 404, 'task_not_found');
  });

  it('says which fields never change, and what is wrong with the others', async () => {
    await using http = await start();
    await http.post(TASKS, { ...WAITING, id: 'a' });
    const before = http.events;
    const refused = async (edit: object, code: ErrorCode, status: number): Promise<string> =>
      problemIn(await http.patch(`${TASKS}/a`, edit), status, code).detail;
    expect(await refused({ max_attempts: 2, depends_on: ['b'] }, 'invalid_request', 400)).toContain(
      'body: max_attempts: cannot be changed once the task is created: create a changed copy instead; depends_on: cannot be changed',
    );
    expect(await refused({ colour: 'red' }, 'invalid_request', 400)).toContain(
      'colour: is not a known field',
    );
    expect(await refused({ by: 'ann' }, 'invalid_request', 400)).toContain('give a field to change: title,');
    expect(await refused({ title: null }, 'invalid_request', 400)).toContain('title: ');
    expect(await refused({ priority: 11 }, 'invalid_request', 400)).toContain('priority: ');
    expect(await refused({ agent: 'ghost' }, 'agent_not_found', 404)).toContain('agent ghost');
    expect(await refused({ agent: null }, 'invalid_request', 400)).toContain('the task has no type');
    expect(await refused({ review: 'echo' }, 'invalid_request', 400)).toContain('cannot review its own work');
    expect(await refused({ expires_at: '2020-01-01T00:00:00Z' }, 'invalid_request', 400)).toContain(
      'in the past',
    );
    expect(http.events).toBe(before);
  });

  it('is erased with what the task was before', async () => {
    await using http = await start();
    await http.post(TASKS, { ...WAITING, id: 'a', title: 'the secret', labels: { team: 'secret' } });
    await http.patch(`${TASKS}/a`, { title: 'not the secret', labels: { round: '2' } });
    await http.patch(`${TASKS}/a`, { priority: 9 });
    await http.post(`${TASKS}/a/redact`, { reason: 'a name', description: true });
    const { body } = await http.get(`${TASKS}/a?expand=all`);
    expect(body).not.toContain('secret');
    expect(taskIn(await http.get(`${TASKS}/a`))).toMatchObject({
      title: '[redacted]',
      labels: {},
      priority: 9,
    });
  });
});
