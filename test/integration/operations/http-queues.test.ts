import { describe, expect, it } from 'vitest';
import { SignalboxClient } from '../../../src/client/client.ts';
import { type QueueAnswer, queueAnswerSchema, queueListSchema } from '../../../src/contracts/api/answers.ts';
import { functionAgent } from '../../support/engine.ts';
import {
  Gate,
  type HttpAnswer,
  problemIn,
  startHttp,
  TASKS,
  type TestHttp,
} from '../../support/http/http.ts';

const REVIEW = '/api/queues/type/review';

const start = (gate = new Gate()) =>
  startHttp({
    agents: [
      functionAgent('worker', gate.handler),
      functionAgent('reader', () => 'read', { capabilities: ['review'] }),
    ],
  });

function queueIn(answer: HttpAnswer): QueueAnswer {
  expect(answer).toMatchObject({ status: 200 });
  return queueAnswerSchema.parse(answer.body);
}

async function listed(http: TestHttp, name: string): Promise<QueueAnswer | undefined> {
  const { queues } = queueListSchema.parse((await http.get('/api/queues')).body);
  return queues.find((queue) => queue.name === name);
}

describe('queues over HTTP', () => {
  it('paused, one assigns no tasks, accepts new ones, and continues when it is resumed', async () => {
    await using http = await start();
    const paused = queueIn(await http.post(`${REVIEW}/pause`, { by: 'ann', comment: 'holiday' }));
    expect(paused).toMatchObject({ kind: 'type', name: 'review', pending: 0, agents: ['reader'] });
    expect(paused.paused).toMatchObject({ by: 'ann', reason: 'holiday' });
    expect(Date.parse(paused.paused?.since ?? '')).toBeLessThanOrEqual(Date.now());
    await http.post(TASKS, { id: 'a', title: 'x', type: 'review', outputs: 'optional' });
    await http.post(TASKS, { id: 'own', title: 'x', agent: 'reader', outputs: 'optional' });
    await http.test.until('own', ({ state }) => state === 'done');
    expect((await http.get(`${TASKS}/a`)).body).toMatchObject({ status: 'pending', attempt: 0 });
    expect(await listed(http, 'review')).toEqual({
      ...paused,
      pending: 1,
      oldest_pending_at: expect.any(String),
    });
    expect((await http.get(`${TASKS}/a/why`)).body).toMatchObject({
      summary: expect.stringMatching(
        /^task a is pending: the queue of type review is paused by ann since \S+ \(holiday\)$/,
      ),
      waits_for: [{ kind: 'queue_paused' }],
      next: 'nothing, until the queue is resumed: "signalbox queue resume type review"',
    });

    expect(queueIn(await http.post(`${REVIEW}/resume`)).paused).toBeNull();
    await http.test.until('a', ({ state }) => state === 'done');
  });

  it('paused, the queue of an agent lets its running attempts continue', async () => {
    const gate = new Gate();
    await using http = await start(gate);
    await http.working('a');
    await http.post('/api/queues/agent/worker/pause');
    await http.post(TASKS, { id: 'b', title: 'x', agent: 'worker', outputs: 'optional' });
    expect((await http.get('/api/agents/worker')).body).toMatchObject({ state: 'busy', running: 1 });
    gate.open();
    await http.test.until('a', ({ openAttempt }) => openAttempt === null);
    expect((await http.get('/api/agents/worker')).body).toMatchObject({ state: 'idle', running: 0 });
    expect((await http.get(`${TASKS}/b`)).body).toMatchObject({ status: 'pending', attempt: 0 });
  });

  it('answers 409 to a decision that its state does not allow, as for agents', async () => {
    await using http = await start();
    const before = http.events;
    const open = problemIn(await http.post(`${REVIEW}/resume`), 409, 'illegal_transition');
    expect(open).toMatchObject({
      detail: 'queue type:review is open: queue.resumed is not possible, only queue.paused',
      details: { entity: 'queue', id: 'type:review', state: 'open', legal: ['queue.paused'] },
    });
    expect(http.events).toBe(before);
    await http.post(`${REVIEW}/pause`);
    const paused = problemIn(await http.post(`${REVIEW}/pause`), 409, 'illegal_transition');
    expect(paused.details).toMatchObject({ state: 'paused', legal: ['queue.resumed'] });
    await http.post(`${REVIEW}/resume`);
    const again = problemIn(await http.post(`${REVIEW}/resume`), 409, 'illegal_transition');
    expect(again.details).toMatchObject({ state: 'open', legal: ['queue.paused'] });
    expect(http.events).toBe(before + 2);
  });

  it('answers 404 with the known queues for an unknown one, 400 for other kinds, 403 for attempts', async () => {
    await using http = await start();
    await http.working('a');
    const before = http.events;
    const unknown = problemIn(await http.post('/api/queues/type/reviews/pause'), 404, 'queue_not_found');
    expect(unknown.detail).toContain('There are: agent reader, agent worker, type review');
    problemIn(await http.post('/api/queues/agent/absent/resume'), 404, 'queue_not_found');
    problemIn(await http.post('/api/queues/project/demo/pause'), 400, 'invalid_request');
    problemIn(await http.post('/api/queues/type/a.b/pause'), 400, 'invalid_id');
    problemIn(await http.post(`${REVIEW}/pause`, { reason: 'x' }), 400, 'invalid_request');
    problemIn(await http.post(`${REVIEW}/pause`, {}, { token: http.token('a') }), 403, 'forbidden');
    expect(http.events).toBe(before);
  });

  it('works with the client', async () => {
    await using http = await start();
    const client = new SignalboxClient({ url: http.url });
    const { paused } = await client.pauseQueue({ kind: 'type', name: 'review', by: 'ann' });
    expect(paused).toMatchObject({ by: 'ann', reason: null });
    expect((await client.resumeQueue({ kind: 'type', name: 'review' })).paused).toBeNull();
    const absent = client.pauseQueue({ kind: 'agent', name: 'absent' });
    await expect(absent).rejects.toMatchObject({ code: 'queue_not_found' });
    await expect(client.pauseQueue({ kind: 'type', name: '..' })).rejects.toMatchObject({
      code: 'invalid_id',
    });
  });
});
