import { describe, expect, it } from 'vitest';
import { SignalboxClient } from '../../../src/client/client.ts';
import { agentAnswerSchema, taskAnswerSchema, taskPageSchema } from '../../../src/contracts/api/answers.ts';
import { functionAgent } from '../../support/engine.ts';
import { HEALTHY, startHttp } from '../../support/http/http.ts';

describe('the client and the server', () => {
  it('work together from creation to approval', async () => {
    await using http = await startHttp({ agents: [functionAgent('echo', () => 'done')] });
    const client = new SignalboxClient({ url: `${http.url}/` });
    const request = { id: 'a', title: 'say hello', agent: 'echo', review: 'manual' } as const;
    const create = () => client.request('createTask', { project: 'demo', ...request });
    expect(await create()).toMatchObject({ status: 201, body: { id: 'a' } });
    expect(await create()).toMatchObject({ status: 200, body: { id: 'a' } });
    await http.test.until('a', ({ state, openAttempt }) => state === 'review' && openAttempt === null);

    await client.addComment({ project: 'demo', task: 'a', author: 'ann', body: 'fine' });
    expect(await client.approveTask({ project: 'demo', task: 'a', by: 'ann' })).toMatchObject({
      status: 'done',
    });
    const task = taskAnswerSchema.parse(
      await client.readTask({ project: 'demo', task: 'a', expand: ['all'] }),
    );
    expect(task.events?.at(-1)?.actor).toBe('user:ann');
    const page = taskPageSchema.parse(await client.listAllTasks({ status: ['done'] }));
    expect(page.tasks.map(({ id }) => id)).toEqual(['a']);
    const agents = (await client.listAgents()).agents;
    expect(agents.map((agent) => agentAnswerSchema.parse(agent).id)).toEqual(['echo']);
    expect(await client.readHealth()).toEqual(HEALTHY);
  });

  it('give the same errors', async () => {
    await using http = await startHttp({ agents: [functionAgent('echo', () => 'done')] });
    const client = new SignalboxClient({ url: http.url });
    await expect(client.approveTask({ project: 'demo', task: 'a' })).rejects.toMatchObject({
      code: 'task_not_found',
      details: { project: 'demo', task: 'a' },
    });
    await expect(client.createTask({ project: 'demo', title: '', agent: 'echo' })).rejects.toMatchObject({
      code: 'invalid_request',
      details: { errors: [{ path: 'title' }] },
    });
  });

  it('create a task once across an outage of the log', async () => {
    await using http = await startHttp(
      { agents: [functionAgent('echo', () => 'done')] },
      { answerTimeoutMs: 50 },
    );
    const client = new SignalboxClient({
      url: http.url,
      retry: {
        sleep: async () => {
          http.log.reachable = true;
        },
      },
    });
    http.log.reachable = false;
    const { status, body } = await client.request('createTask', {
      project: 'demo',
      id: 'a',
      title: 'x',
      agent: 'echo',
    });
    expect({ id: body.id, status }).toEqual({ id: 'a', status: 200 });
    const { events = [] } = await client.readTask({ project: 'demo', task: 'a', expand: ['events'] });
    expect(events.filter(({ event }) => event.type === 'task.created')).toHaveLength(1);
  });
});
