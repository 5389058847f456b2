import { describe, expect, it } from 'vitest';
import { functionAgent } from '../../../support/engine.ts';
import { Gate, problemIn, startHttp, TASKS, taskIn } from '../../../support/http/http.ts';

const start = () =>
  startHttp({
    agents: [
      functionAgent('worker', new Gate().handler),
      functionAgent('echo', () => 'x'),
      functionAgent('broken', () => {
        throw new Error('broke');
      }),
    ],
  });

describe('decisions of operators over HTTP', () => {
  it('approves and rejects tasks in review; the comment of a rejection is added to the task', async () => {
    await using http = await start();
    await http.post(TASKS, { id: 'a', title: 'x', agent: 'echo', review: 'manual' });
    await http.test.until('a', ({ state, openAttempt }) => state === 'review' && openAttempt === null);
    problemIn(await http.post(`${TASKS}/a/reject`, {}), 400, 'invalid_request');
    const rejected = await http.post(`${TASKS}/a/reject`, { by: 'ann', comment: 'shorter' });
    expect(taskIn(rejected)).toMatchObject({ reason: 'shorter', comment_count: 1 });

    await http.test.until('a', (task) => task.state === 'review' && task.attempts === 2);
    await http.test.until('a', ({ openAttempt }) => openAttempt === null);
    expect(taskIn(await http.post(`${TASKS}/a/approve`)).status).toBe('done');
    const { comments, events } = taskIn(await http.get(`${TASKS}/a?expand=all`));
    expect(comments).toMatchObject([{ author: 'ann', body: 'shorter' }]);
    expect(events?.at(-1)).toMatchObject({ actor: 'user:anonymous', event: { type: 'task.approved' } });
  });

  it('blocks, unblocks, cancels and retries', async () => {
    await using http = await start();
    await http.post(TASKS, { id: 'a', title: 'x', agent: 'echo', delay_seconds: 60 });
    const blocked = await http.post(`${TASKS}/a/block`, { comment: 'wait for the release' });
    expect(taskIn(blocked)).toMatchObject({ status: 'blocked', reason: 'wait for the release' });
    taskIn(await http.post(`${TASKS}/a/unblock`, {}));
    await http.test.until('a', ({ state }) => state === 'done');

    await http.working('b');
    expect(taskIn(await http.post(`${TASKS}/b/cancel`, { comment: 'enough' })).status).toBe('cancelled');

    await http.post(TASKS, { id: 'c', title: 'x', agent: 'broken', max_attempts: 1 });
    await http.test.until('c', ({ state }) => state === 'failed');
    taskIn(await http.post(`${TASKS}/c/retry`));
    await http.test.until('c', ({ state, attempts }) => state === 'failed' && attempts === 2);
  });

  it('answers 409 with the state and the possible decisions if a decision is not allowed; nothing is recorded', async () => {
    await using http = await start();
    await http.post(TASKS, { id: 'a', title: 'x', agent: 'echo', delay_seconds: 60 });
    const before = http.events;
    for (const decision of ['approve', 'unblock', 'retry']) {
      const { details } = problemIn(await http.post(`${TASKS}/a/${decision}`), 409, 'illegal_transition');
      expect(details).toMatchObject({ entity: 'task', id: 'demo/a', status: 'scheduled' });
      expect(details?.legal).toContain('task.cancelled');
    }
    expect(http.events).toBe(before);
  });

  it('access/attempt-speaks-for-itself: an agent may not decide about a task, its own or another: 403, not recorded', async () => {
    await using http = await start();
    await http.working('a');
    const token = http.token('a');
    const output = { type: 'other', title: 'x', content: 'x' };
    taskIn(await http.post(`${TASKS}/a/outputs`, output, { token }), 201);
    taskIn(await http.post(`${TASKS}/a/status`, { status: 'review' }, { token }));
    await http.post(TASKS, { id: 'b', title: 'x', agent: 'echo', delay_seconds: 60 });
    const before = http.events;
    for (const id of ['a', 'b']) {
      for (const decision of ['approve', 'reject', 'cancel', 'block', 'unblock', 'retry']) {
        const answer = await http.post(`${TASKS}/${id}/${decision}`, { comment: 'good' }, { token });
        problemIn(answer, 403, 'forbidden');
      }
    }
    expect(http.events).toBe(before);
  });
});
