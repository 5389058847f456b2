import { describe, expect, it } from 'vitest';
import { SignalboxClient } from '../../../../src/client/client.ts';
import { type WhyAnswer, whyAnswerSchema } from '../../../../src/contracts/api/why.ts';
import { functionAgent } from '../../../support/engine.ts';
import { Gate, problemIn, startHttp, TASKS, type TestHttp } from '../../../support/http/http.ts';
import { until } from '../../../support/until.ts';

const LIMITS = {
  concurrency: 1_000,
  projectConcurrency: 1_000,
  queueDepth: 1_000,
  backlog: 1_000,
  maxEventBytes: 900_000,
};

async function why(http: TestHttp, id: string): Promise<WhyAnswer> {
  const { status, body } = await http.get(`${TASKS}/${id}/why`);
  expect(status).toBe(200);
  return whyAnswerSchema.parse(body);
}

const start = (limits: Partial<typeof LIMITS> = {}) =>
  startHttp({
    agents: [
      functionAgent('worker', new Gate().handler, { capabilities: ['review'] }),
      functionAgent('echo', () => 'x', { concurrency: 10 }),
    ],
    limits: { ...LIMITS, ...limits },
  });

describe('why, over HTTP', () => {
  it('shows the place in the queue, by priority and age, and what the agent is busy with', async () => {
    await using http = await start();
    await http.working('running');
    for (const [id, priority] of [
      ['old', 5],
      ['new', 5],
      ['urgent', 9],
    ] as const) {
      await http.post(TASKS, { id, title: id, agent: 'worker', priority });
    }
    await http.post('/api/projects/other/tasks', { id: 'x', title: 'x', agent: 'worker' });
    // In another queue of the same agent.
    await http.post(TASKS, { id: 'typed', title: 'x', type: 'review', priority: 10 });

    expect(await why(http, 'running')).toMatchObject({
      status: 'working',
      waits_for: [{ kind: 'running', agent: 'worker', attempt: 1, until: expect.any(String) }],
      queue: null,
    });
    const last = await why(http, 'new');
    expect(last).toMatchObject({ queue: { position: 3, length: 3, of_other_projects: 1 } });
    expect(last.waits_for).toMatchObject([
      { kind: 'agent_busy', agent: 'worker', detail: 'agent worker is busy with 1 of 1 attempts' },
      { kind: 'queue', detail: '2 tasks go first, by priority and age' },
    ]);
    expect((await why(http, 'urgent')).queue?.position).toBe(1);
    expect((await why(http, 'old')).queue?.position).toBe(2);
    expect((await why(http, 'typed')).queue).toEqual({ position: 1, length: 1, of_other_projects: 0 });
  });

  it('explains why a task waits: for a time, other tasks, a missing agent, limits or people', async () => {
    await using http = await start({ concurrency: 1 });
    await http.working('running');
    const create = (id: string, body: object) => http.post(TASKS, { id, title: id, agent: 'echo', ...body });
    await create('later', { delay_seconds: 60 });
    await create('after', { depends_on: ['running', 'later'] });
    await create('limited', {});
    await http.post(TASKS, { id: 'absent', title: 'x', type: 'unknown' });
    await create('asked', { delay_seconds: 60 });
    await http.post(`${TASKS}/asked/block`, { comment: 'which one?' });

    const kinds = async (id: string) => (await why(http, id)).waits_for.map(({ kind }) => kind);
    expect(await kinds('later')).toEqual(['time']);
    expect((await why(http, 'after')).waits_for).toMatchObject([
      { kind: 'dependency', tasks: ['running'], detail: 'it depends on task running, which is working' },
      { kind: 'dependency', tasks: ['later'] },
    ]);
    expect(await kinds('limited')).toEqual(['global_limit']);
    expect(await kinds('absent')).toEqual(['no_agent', 'global_limit']);
    expect(await why(http, 'asked')).toMatchObject({ summary: 'task asked is blocked: which one?' });

    await http.post('/api/agents/echo/pause', { comment: 'no quota' });
    expect(await kinds('limited')).toEqual(['agent_paused', 'global_limit']);
    expect((await why(http, 'limited')).next).toContain('signalbox agent resume echo');
    http.test.engine.drain('the test says so');
    expect(await kinds('limited')).toEqual(['draining', 'agent_paused', 'global_limit']);
  });

  it('names the unreachable log as the reason', async () => {
    await using http = await start();
    await http.post(TASKS, { id: 'a', title: 'x', agent: 'echo', delay_seconds: 60 });
    http.log.reachable = false;
    const comment = http.post(`${TASKS}/a/comments`, { author: 'ann', body: 'x' });
    await until(() => http.test.engine.journalState.kind === 'resyncing', 'the log is known to be away');
    const { waits_for } = await why(http, 'a');
    expect(waits_for.map(({ kind }) => kind)).toEqual(['time', 'log']);
    http.log.reachable = true;
    expect((await comment).status).toBe(201);
  });

  it('works with the client, and answers 404 for an unknown task', async () => {
    await using http = await start();
    await http.post(TASKS, { id: 'a', title: 'x', agent: 'echo', delay_seconds: 60 });
    const client = new SignalboxClient({ url: http.url });
    expect((await client.explainTask({ project: 'demo', task: 'a' })).status).toBe('scheduled');
    problemIn(await http.get(`${TASKS}/b/why`), 404, 'task_not_found');
  });
});
