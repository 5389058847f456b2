import { describe, expect, it } from 'vitest';
import { agentListSchema, attemptListSchema, taskPageSchema } from '../../../../src/contracts/api/answers.ts';
import { taskKey } from '../../../../src/contracts/ids.ts';
import { functionAgent } from '../../../support/engine.ts';
import { problemIn, startHttp, TASKS, taskIn } from '../../../support/http/http.ts';

const echo = () => functionAgent('echo', ({ spec }) => `did ${spec.title}`, { capabilities: ['repeat'] });

describe('creating and reading tasks over HTTP', () => {
  it('answers a creation with 201, the task and its location; the task becomes done', async () => {
    await using http = await startHttp({ agents: [echo()] });
    const answer = await http.post(TASKS, { title: 'say hello', type: 'repeat', priority: 'high' });
    const { id } = taskIn(answer, 201);
    expect(answer.headers.get('location')).toBe(`${TASKS}/${id}`);

    await http.test.until(id, ({ state }) => state === 'done');
    const task = taskIn(await http.get(`${TASKS}/${id}?expand=all`));
    expect(task).toMatchObject({ status: 'done', priority: 10, type: 'repeat', claimed_by: 'echo' });
    expect(task.outputs).toMatchObject([{ content: 'did say hello', attempt: 1 }]);
    expect(task.attempts).toMatchObject([{ attempt: 1, outcome: 'completed', driver: 'function' }]);
    expect(task.events?.map(({ event }) => event.type)).toContain('attempt.started');
    expect(task.comments).toEqual([]);
  });

  it('shows only the requested parts', async () => {
    await using http = await startHttp({ agents: [echo()] });
    await http.post(TASKS, { id: 'a', title: 'x', agent: 'echo' });
    await http.test.until('a', ({ state }) => state === 'done');
    expect(Object.keys(taskIn(await http.get(`${TASKS}/a`)))).not.toContain('outputs');
    const some = taskIn(await http.get(`${TASKS}/a?expand=outputs,comments`));
    expect(some).toHaveProperty('outputs');
    expect(some).not.toHaveProperty('attempts');
    const { attempts } = attemptListSchema.parse((await http.get(`${TASKS}/a/attempts`)).body);
    expect(attempts).toMatchObject([{ attempt: 1, agent: 'echo', outcome: 'completed' }]);
  });

  it('creates nothing twice for the same id or idempotency key, and refuses different content', async () => {
    await using http = await startHttp({ agents: [echo()] });
    const later = { title: 'once', agent: 'echo', delay_seconds: 60 };
    const headers = { 'idempotency-key': 'k 1' };
    const first = taskIn(await http.post(TASKS, later, { headers }), 201);
    const before = http.events;
    const again = await http.post(TASKS, later, { headers });
    expect(taskIn(again, 200).id).toBe(first.id);
    expect(again.headers.get('location')).toBe(`${TASKS}/${first.id}`);
    // The field says the same as the header.
    expect(taskIn(await http.post(TASKS, { ...later, idempotency_key: 'k 1' }), 200).id).toBe(first.id);
    const other = await http.post(TASKS, { ...later, title: 'twice' }, { headers });
    expect(problemIn(other, 409, 'idempotency_conflict').details).toMatchObject({ task: first.id });
    expect(http.events).toBe(before);

    taskIn(await http.post(TASKS, { ...later, id: 'mine' }), 201);
    taskIn(await http.post(TASKS, { ...later, id: 'mine' }), 200);
    problemIn(await http.post(TASKS, { ...later, id: 'mine', title: 'x' }), 409, 'task_exists');
    expect(http.events).toBe(before + 1);
  });

  it('gives twenty equal creations at the same time one task', async () => {
    await using http = await startHttp({ agents: [echo()] });
    const body = { id: 'mine', title: 'once', agent: 'echo', delay_seconds: 60 };
    const answers = await Promise.all(Array.from({ length: 20 }, () => http.post(TASKS, body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(19).fill(200), 201]);
  });

  it('lists tasks by project, state and agent, page by page in the order of age', async () => {
    await using http = await startHttp({ agents: [echo(), functionAgent('other', () => 'x')] });
    for (const id of ['a', 'b', 'c']) {
      await http.post(TASKS, { id, title: id, agent: 'echo', delay_seconds: 60 });
    }
    await http.post(TASKS, { id: 'd', title: 'd', agent: 'other', delay_seconds: 60 });
    await http.post('/api/projects/second/tasks', { id: 'a', title: 'a', agent: 'echo', delay_seconds: 60 });
    const list = async (path: string) => {
      const { tasks, next } = taskPageSchema.parse((await http.get(path)).body);
      return { ids: tasks.map(({ project, id }) => taskKey({ project, task: id })), next };
    };
    const first = await list(`${TASKS}?limit=3`);
    expect(first.ids).toEqual(['demo/a', 'demo/b', 'demo/c']);
    expect(await list(`${TASKS}?limit=3&after=${first.next}`)).toEqual({ ids: ['demo/d'], next: null });
    expect((await list('/api/tasks?agent=echo')).ids).toEqual(['demo/a', 'demo/b', 'demo/c', 'second/a']);
    expect((await list('/api/tasks?status=done,failed')).ids).toEqual([]);
  });

  it('answers 304 only while the task has not changed', async () => {
    await using http = await startHttp({ agents: [echo()] });
    await http.post(TASKS, { id: 'a', title: 'x', agent: 'echo', delay_seconds: 60 });
    const etag = (await http.get(`${TASKS}/a`)).headers.get('etag') ?? '';
    const conditional = { headers: { 'if-none-match': `"0", ${etag}` } };
    const unchanged = await http.get(`${TASKS}/a`, conditional);
    expect(unchanged).toMatchObject({ status: 304, body: null });
    expect(unchanged.headers.get('etag')).toBe(etag);

    await http.post(`${TASKS}/a/comments`, { author: 'ann', body: 'hurry' });
    const changed = await http.get(`${TASKS}/a?expand=comments`, conditional);
    expect(taskIn(changed).comments).toMatchObject([{ author: 'ann', body: 'hurry' }]);
    expect(changed.headers.get('etag')).not.toBe(etag);
  });

  it('sends no ETag for parts that can change while the task does not', async () => {
    await using http = await startHttp({ agents: [echo()] });
    await http.post(TASKS, { id: 'a', title: 'x', agent: 'echo', delay_seconds: 60 });
    for (const part of ['attempts', 'events', 'all']) {
      expect((await http.get(`${TASKS}/a?expand=${part}`)).headers.get('etag')).toBeNull();
    }
  });

  it('shows the agents with their slots', async () => {
    await using http = await startHttp({ agents: [echo(), functionAgent('other', () => 'x')] });
    const { agents } = agentListSchema.parse((await http.get('/api/agents')).body);
    expect(agents).toMatchObject([
      { id: 'echo', state: 'idle', running: 0, concurrency: 1, driver: 'function', capabilities: ['repeat'] },
      { id: 'other', state: 'idle', capabilities: [] },
    ]);
  });
});
