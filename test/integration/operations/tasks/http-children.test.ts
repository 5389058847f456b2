import { describe, expect, it } from 'vitest';
import { functionAgent } from '../../../support/engine.ts';
import { Gate, problemIn, startHttp, TASKS, type TestHttp, taskIn } from '../../../support/http/http.ts';

/** A parent whose own work is done, with a child that is done and one that works. */
async function start(gate: Gate, parent: object): Promise<TestHttp> {
  const agents = [
    functionAgent('worker', gate.handler),
    functionAgent('echo', ({ spec }) => `did ${spec.title}`),
  ];
  const http = await startHttp({ agents });
  const create = async (id: string, body: object) =>
    taskIn(await http.post(TASKS, { id, title: id, review: 'auto', ...body }), 201);
  await http.post('/api/agents/echo/pause');
  await create('parent', { agent: 'echo', ...parent });
  await create('quick', { agent: 'echo', parent: 'parent' });
  await create('slow', { agent: 'worker', parent: 'parent', outputs: 'optional' });
  await http.post('/api/agents/echo/resume');
  await http.test.until('quick', ({ state }) => state === 'done');
  await http.test.until('slow', ({ state }) => state === 'working');
  await http.test.until('parent', ({ openAttempt, outputs }) => openAttempt === null && outputs.length === 1);
  return http;
}

describe('a parent over HTTP', () => {
  it('shows a summary of its children, and their outputs on request', async () => {
    await using http = await start(new Gate(), { review: 'manual' });
    const children = {
      total: 2,
      by_status: { done: 1, working: 1 },
      ids: ['quick', 'slow'],
      unsettled_below: 1,
    };
    const bare = taskIn(await http.get(`${TASKS}/parent`));
    expect(bare.children).toEqual(children);
    expect(bare.children_outputs).toBeUndefined();
    const { children_outputs } = taskIn(await http.get(`${TASKS}/parent?expand=outputs`));
    expect(children_outputs).toEqual([
      { task: 'quick', number: 1, type: 'other', title: 'quick', summary: null },
    ]);
    expect(taskIn(await http.get(`${TASKS}/quick?expand=all`))).not.toHaveProperty('children');
  });

  it('is cancelled with everything below it if that is asked for, and alone if not', async () => {
    await using http = await start(new Gate(), { review: 'manual' });
    taskIn(
      await http.post(TASKS, { id: 'deep', title: 'x', agent: 'echo', parent: 'slow', delay_seconds: 60 }),
      201,
    );
    expect(taskIn(await http.get(`${TASKS}/parent`)).children?.unsettled_below).toBe(2);
    problemIn(await http.post(`${TASKS}/parent/cancel`, { children: 'yes' }), 400, 'invalid_request');
    const cancelled = taskIn(await http.post(`${TASKS}/slow/cancel`, { children: true, by: 'ann' }));
    expect(cancelled).toMatchObject({ status: 'cancelled', children: { unsettled_below: 1 } });
    await http.test.until('deep', ({ state }) => state === 'cancelled');
    expect(taskIn(await http.get(`${TASKS}/parent`))).toMatchObject({
      status: 'review',
      children: { unsettled_below: 0 },
    });
    expect(taskIn(await http.post(`${TASKS}/parent/cancel`)).children).toBeUndefined();
  });

  it('has another ETag when a child has changed', async () => {
    const gate = new Gate();
    await using http = await start(gate, { review: 'manual' });
    const { headers } = await http.get(`${TASKS}/parent`);
    const conditional = { headers: { 'if-none-match': headers.get('etag') ?? '' } };
    expect((await http.get(`${TASKS}/parent`, conditional)).status).toBe(304);
    gate.open();
    await http.test.until('slow', ({ state }) => state === 'done');
    const changed = taskIn(await http.get(`${TASKS}/parent`, conditional));
    expect(changed.children?.by_status).toEqual({ done: 2 });
  });

  it('that joins its children is not approved while one is unfinished, and the refusal names it', async () => {
    const gate = new Gate();
    await using http = await start(gate, { review: 'manual', join: true });
    const before = http.events;
    const problem = problemIn(await http.post(`${TASKS}/parent/approve`), 409, 'illegal_transition');
    expect(problem.detail).toContain('slow is not settled');
    expect(problem.details).toMatchObject({ status: 'review', children: ['slow'] });
    expect(problem.details?.legal).not.toContain('task.approved');
    expect(http.events).toBe(before);
    expect((await http.get(`${TASKS}/parent/why`)).body).toMatchObject({
      waits_for: [{ kind: 'children', tasks: ['slow'] }, { kind: 'review' }],
    });

    gate.open();
    await http.test.until('slow', ({ state }) => state === 'done');
    expect(taskIn(await http.post(`${TASKS}/parent/approve`)).status).toBe('done');
  });

  it('that does not join them is approved at any time', async () => {
    await using http = await start(new Gate(), { review: 'manual' });
    expect(taskIn(await http.post(`${TASKS}/parent/approve`)).status).toBe('done');
  });

  it('that joins them is approved automatically if all are done, and by a user otherwise', async () => {
    const gate = new Gate();
    await using well = await start(gate, { join: true });
    expect((await well.get(`${TASKS}/parent/why`)).body).toMatchObject({
      waits_for: [{ kind: 'children', tasks: ['slow'] }],
    });
    gate.open();
    await well.test.until('parent', ({ state }) => state === 'done');

    await using ill = await start(new Gate(), { join: true });
    await ill.post(`${TASKS}/slow/cancel`);
    expect((await ill.get(`${TASKS}/parent/why`)).body).toMatchObject({ waits_for: [{ kind: 'review' }] });
    expect(taskIn(await ill.post(`${TASKS}/parent/approve`)).status).toBe('done');
  });
});
