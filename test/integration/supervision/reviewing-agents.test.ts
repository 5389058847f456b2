import { describe, expect, it } from 'vitest';
import { explainTask } from '../../../src/app/tasks/why.ts';
import type { CreateTask } from '../../../src/contracts/api/requests.ts';
import type { FunctionHandler } from '../../../src/drivers/function.ts';
import { functionAgent, PROJECT, startEngine, type TestEngine } from '../../support/engine.ts';
import { Gate, problemIn, startHttp, TASKS, taskIn } from '../../support/http/http.ts';
import { MemoryLog } from '../../support/memory-journal.ts';

const verdict = (verdict: string, comment?: string): string => JSON.stringify({ verdict, comment });

const agents = (judge: FunctionHandler, worker: FunctionHandler = ({ attempt }) => `result ${attempt}`) => [
  functionAgent('worker', worker, { capabilities: ['work'] }),
  functionAgent('judge', judge, { capabilities: ['work'] }),
];

async function reviewed(engine: TestEngine, task: Partial<CreateTask> = {}): Promise<void> {
  await engine.create({ id: 't', agent: 'worker', review: 'judge', ...task });
}

async function whyOf({ app }: TestEngine, id = 't') {
  return (await explainTask(app, { project: PROJECT, task: id })) as {
    summary: string;
    next: string;
    waits_for: { kind: string; tasks?: string[] }[];
  };
}

describe('a review by an agent', () => {
  it('shows the reviewer the request and the outputs, and its approval is recorded for the task', async () => {
    const prompts: string[] = [];
    await using engine = await startEngine({
      agents: agents(({ prompt }) => {
        prompts.push(prompt());
        return `All there.\n${verdict('approve', 'well done')}`;
      }),
    });
    await reviewed(engine, {
      title: 'Fix the parser',
      description: 'It crashes on [].',
      must_haves: ['a test'],
    });
    expect(await engine.until('t', ({ state }) => state === 'done')).toMatchObject({
      attempts: 1,
      comments: [{ author: 'agent:judge', body: 'well done' }],
    });
    const history = await engine.history(await engine.until('t', () => true));
    expect(history.find(({ event }) => event.type === 'task.approved')).toMatchObject({
      actor: 'agent:judge',
    });
    for (const part of [
      '# Task: Review: Fix the parser',
      'It crashes on [].',
      '- a test',
      'result 1',
      '## Your verdict',
    ]) {
      expect(prompts[0]).toContain(part);
    }
  });

  it('that rejects sends its comment to the next attempt, which is reviewed again', async () => {
    const seen: string[] = [];
    await using engine = await startEngine({
      agents: agents(
        ({ spec }) => (spec.reviews?.attempt === 1 ? verdict('reject', 'no test') : verdict('approve')),
        ({ attempt, prompt }) => {
          seen.push(prompt());
          return `result ${attempt}`;
        },
      ),
    });
    await reviewed(engine);
    await engine.until('t', ({ state }) => state === 'done');
    expect(seen[1]).toContain('Why it was sent back: no test');
    const states = [...engine.app.state.projections.blackboard.tasks.values()].map(({ id, state }) => [
      id,
      state,
    ]);
    await engine.until('t-r2', ({ state }) => state === 'done');
    expect(states.map(([id]) => id)).toEqual(['t', 't-r1', 't-r2']);
  });

  it('that fails leaves the task to a user, and says so', async () => {
    await using engine = await startEngine({ agents: agents(() => 'I cannot say.') });
    await reviewed(engine, { max_attempts: 2 });
    expect(await engine.until('t-r1', ({ state }) => state === 'failed')).toMatchObject({
      attempts: 2,
      reason: 'it gave no verdict: it neither approved nor rejected',
    });
    const why = await whyOf(engine);
    expect(why.summary).toContain('agent judge gave no verdict: its review, task t-r1, is failed');
    expect(why.waits_for).toMatchObject([{ kind: 'review', tasks: ['t-r1'] }]);
    expect(why.next).toMatch(
      /a user approves or rejects it: .*or the review is retried: "signalbox task retry t-r1 --project /,
    );
  });

  it('is not done by the agent that did the work', async () => {
    await using engine = await startEngine({
      agents: [functionAgent('judge', () => 'mine', { capabilities: ['work'] })],
    });
    await engine.create({ id: 't', type: 'work', review: 'judge' });
    await engine.until('t', ({ state, openAttempt }) => state === 'review' && openAttempt === null);
    expect((await whyOf(engine)).summary).toContain('agent judge did the work and cannot review it');
    expect(engine.app.state.projections.blackboard.tasks.size).toBe(1);
    await expect(engine.create({ id: 'u', agent: 'judge', review: 'judge' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    await expect(engine.create({ id: 'u', agent: 'judge', review: 'absent' })).rejects.toMatchObject({
      code: 'agent_not_found',
    });
  });

  it('waits for a reviewer that is not configured, and begins when it is', async () => {
    const log = new MemoryLog();
    const [worker, judge] = agents(() => verdict('approve'));
    if (!worker || !judge) throw new Error('there are two');
    {
      await using engine = await startEngine(
        { agents: [worker, { ...judge, concurrency: 1 }], reviewOf: () => 'judge' },
        log,
      );
      await engine.create({ id: 'other', agent: 'worker', review: 'manual' });
    }
    {
      await using engine = await startEngine({ agents: [worker], reviewOf: () => 'judge' }, log);
      await engine.create({ id: 't', agent: 'worker' });
      await engine.until('t', ({ state, openAttempt }) => state === 'review' && openAttempt === null);
      expect((await whyOf(engine)).summary).toContain(
        'the reviewing agent judge is not in the configuration',
      );
    }
    await using engine = await startEngine({ agents: [worker, judge] }, log);
    await engine.until('t', ({ state }) => state === 'done');
  });

  it('is cancelled when a user decides first', async () => {
    const gate = new Gate();
    await using http = await startHttp({ agents: agents(gate.handler) });
    await http.post(TASKS, { id: 't', title: 'x', agent: 'worker', review: 'judge' });
    await http.test.until('t-r1', ({ state }) => state === 'working');
    expect((await whyOf(http.test)).summary).toContain('agent judge reviews it: task t-r1 is working');
    taskIn(await http.post(`${TASKS}/t/approve`));
    expect(await http.test.until('t-r1', ({ openAttempt }) => openAttempt === null)).toMatchObject({
      state: 'cancelled',
      reason: 'task t is not in review any more',
    });
  });

  it('counts for the budget of the task', async () => {
    await using engine = await startEngine({ agents: agents(() => verdict('approve')) });
    await reviewed(engine, { budget: { attempts: 1 } });
    const review = await engine.until('t-r1', ({ state }) => state === 'blocked');
    expect(review.reason).toBe('the budget of task t is used up: attempts 1 of 1');
    expect((await whyOf(engine)).summary).toContain(
      'its review, task t-r1, is blocked (the budget of task t is used up',
    );
  });

  it('waits for the children that the task joins, and is none of them', async () => {
    const [gate, work] = [new Gate(), new Gate()];
    await using engine = await startEngine({
      agents: [...agents(() => verdict('approve'), work.handler), functionAgent('slow', gate.handler)],
    });
    await reviewed(engine, { join: true, outputs: 'optional' });
    await engine.create({ id: 'child', agent: 'slow', parent: 't', outputs: 'optional', review: 'auto' });
    work.open();
    await engine.until('t', ({ state, openAttempt }) => state === 'review' && openAttempt === null);
    expect(engine.app.state.projections.blackboard.tasks.has(`${PROJECT}/t-r1`)).toBe(false);
    gate.open();
    await engine.until('t', ({ state }) => state === 'done');
  });
});

describe('a verdict with the token of the review', () => {
  const given = async () => {
    const gate = new Gate();
    const http = await startHttp({ agents: agents(gate.handler) });
    await http.post(TASKS, { id: 't', title: 'x', agent: 'worker', review: 'judge', max_attempts: 2 });
    await http.test.until('t-r1', ({ state }) => state === 'working');
    return { http, gate, token: http.token('t-r1') };
  };

  it('approves the task, once even if it is sent twice', async () => {
    const { http, gate, token } = await given();
    await using _http = http;
    expect(taskIn(await http.post(`${TASKS}/t/approve`, { comment: 'fine' }, { token })).status).toBe('done');
    expect(taskIn(await http.post(`${TASKS}/t/approve`, { comment: 'fine' }, { token })).status).toBe('done');
    gate.open();
    expect(await http.test.until('t-r1', ({ state }) => state === 'done')).toMatchObject({
      attempts: 1,
      outputs: [{ title: 'Verdict', content: verdict('approve', 'fine') }],
    });
  });

  it('rejects it, with a comment', async () => {
    const { http, token } = await given();
    await using _http = http;
    problemIn(await http.post(`${TASKS}/t/reject`, {}, { token }), 400, 'invalid_request');
    const task = taskIn(await http.post(`${TASKS}/t/reject`, { comment: 'no test' }, { token }));
    expect(task).toMatchObject({ reason: 'no test' });
    await http.test.until('t', ({ attempts }) => attempts === 2);
  });

  it('can be given only by its reviewer, and not after the review is over', async () => {
    const { http, gate, token } = await given();
    await using _http = http;
    problemIn(await http.post(`${TASKS}/t/approve`, {}, { token: http.token('t') }), 403, 'forbidden');
    problemIn(await http.post(`${TASKS}/t-r1/approve`, {}, { token }), 403, 'forbidden');
    problemIn(await http.post(`${TASKS}/t/cancel`, {}, { token }), 403, 'forbidden');
    await http.post(`${TASKS}/t/reject`, { comment: 'a person says no' });
    gate.open();
    await http.test.until('t-r1', ({ state, openAttempt }) => state === 'cancelled' && openAttempt === null);
    problemIn(await http.post(`${TASKS}/t/approve`, {}, { token }), 401, 'unauthorized');
  });
});
