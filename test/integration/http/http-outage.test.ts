import { describe, expect, it } from 'vitest';
import { taskPageSchema } from '../../../src/contracts/api/answers.ts';
import { functionAgent } from '../../support/engine.ts';
import { Gate, type HttpAnswer, problemIn, startHttp, TASKS, taskIn } from '../../support/http/http.ts';

const LIMIT_MS = 150;
const agents = () => [functionAgent('worker', new Gate().handler)];
const later = { title: 'x', agent: 'worker', delay_seconds: 60 };

const retryAfter = (answer: HttpAnswer) => Number(answer.headers.get('retry-after'));

describe('HTTP while the event log cannot be written', () => {
  it('answers that the outcome of a command is unknown if the log does not answer; a repeat creates nothing twice', async () => {
    await using http = await startHttp({ agents: agents() }, { answerTimeoutMs: LIMIT_MS });
    http.log.reachable = false;
    const open = await http.post(TASKS, { ...later, id: 'a' });
    const problem = problemIn(open, 503, 'log_unavailable');
    expect(problem.detail).toMatch(/outcome is unknown.*same id or idempotency key/);
    expect(problem.details).toEqual({ outcome: 'unknown' });
    expect(retryAfter(open)).toBeGreaterThan(0);
    // The repeat finds the first one under way, and has to wait as well.
    problemIn(await http.post(TASKS, { ...later, id: 'a' }), 503, 'log_unavailable');

    http.log.reachable = true;
    const before = taskIn(await http.post(TASKS, { ...later, id: 'a' }));
    const { events } = taskIn(await http.get(`${TASKS}/a?expand=events`));
    expect(events).toHaveLength(1);
    expect(before.sequence).toBe(events?.[0]?.sequence);
  });

  it('decides nothing once the outage is known, and still answers reads', async () => {
    await using http = await startHttp({ agents: agents() }, { answerTimeoutMs: LIMIT_MS });
    await http.working('a');
    const token = http.token('a');
    const before = http.events;
    http.log.reachable = false;
    problemIn(await http.post(`${TASKS}/a/comments`, { author: 'ann', body: 'x' }), 503, 'log_unavailable');

    const refused = [
      await http.post(TASKS, { ...later, id: 'b' }),
      await http.post(`${TASKS}/a/cancel`),
      await http.post(`${TASKS}/a/status`, { status: 'working' }, { token }),
      await http.post(`${TASKS}/a/outputs`, { type: 'other', title: 'x', content: 'x' }, { token }),
    ];
    for (const answer of refused) {
      expect(problemIn(answer, 503, 'log_unavailable').details).toBeUndefined();
      expect(retryAfter(answer)).toBeGreaterThan(0);
    }
    expect(taskIn(await http.get(`${TASKS}/a`)).status).toBe('working');
    expect(taskPageSchema.parse((await http.get(TASKS)).body).tasks).toHaveLength(1);
    expect(http.events).toBe(before);

    http.log.reachable = true;
    await http.test.until('a', ({ comments }) => comments.length === 1);
    expect(http.events).toBe(before + 1);
    taskIn(await http.post(TASKS, { ...later, id: 'b' }), 201);
  });

  it('answers log_fenced to waiting and later requests if another writer has the log', async () => {
    await using http = await startHttp({ agents: agents() });
    const before = http.events;
    http.log.store({ id: 'foreign', subject: 'foreign', bytes: new Uint8Array() });
    const answers = await Promise.all([http.post(TASKS, later), http.post(TASKS, later)]);
    answers.push(await http.post(TASKS, later));
    for (const answer of answers) {
      problemIn(answer, 503, 'log_fenced');
      expect(retryAfter(answer)).toBeGreaterThan(0);
    }
    expect(http.events).toBe(before + 1);
  });

  it('answers 503 to new tasks above the queue depth and while draining, and accepts messages', async () => {
    const limits = {
      concurrency: 10,
      projectConcurrency: 10,
      queueDepth: 1,
      backlog: 100,
      maxEventBytes: 900_000,
    };
    await using http = await startHttp({ agents: agents(), limits });
    await http.working('a');
    expect((await http.post(TASKS, later)).status).toBe(201);
    const full = await http.post(TASKS, later);
    problemIn(full, 503, 'overloaded');
    expect(retryAfter(full)).toBeGreaterThan(0);

    http.test.engine.drain('the test says so');
    problemIn(await http.post(TASKS, later), 503, 'shutting_down');
    taskIn(await http.post(`${TASKS}/a/status`, { status: 'working' }, { token: http.token('a') }));
  });
});
