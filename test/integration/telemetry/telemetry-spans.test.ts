/** The spans of tasks and attempts that a collector receives. */
import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTask } from '../../../src/app/tasks/create-task.ts';
import { createTaskSchema } from '../../../src/contracts/api/requests.ts';
import type { FunctionContext } from '../../../src/drivers/function.ts';
import { VERSION } from '../../../src/version.ts';
import { approveTask, cancelTask, rejectTask, retryTask } from '../../support/decisions.ts';
import { functionAgent, PROJECT, type TestEngine } from '../../support/engine.ts';
import { type CollectedSpan, Collector } from '../../support/http/collector.ts';
import { TracedWorld } from '../../support/http/telemetry.ts';
import { until } from '../../support/until.ts';

const SECRET = 'do not tell';
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT_SPAN = 'b7ad6b7169203331';
const NOTHING_ELSE = { links: [], status: {}, droppedEventsCount: 0, droppedLinksCount: 0 };

let collector: Collector;
let world: TracedWorld;
/** The traceparents of attempts, by `task/attempt`. */
let given: Map<string, string>;
beforeEach(async () => {
  collector = await Collector.start();
  world = await TracedWorld.make();
  given = new Map();
});
afterEach(async () => {
  await collector[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

function handler({ task, attempt, traceparent, signal }: FunctionContext): string | Promise<undefined> {
  given.set(`${task}/${attempt}`, traceparent);
  if (task.startsWith('fails') && attempt <= 2) throw new Error(SECRET);
  if (!task.startsWith('hangs')) return SECRET;
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
}

const start = () =>
  world.start(collector.url, { agents: [functionAgent('worker', handler, { concurrency: 4 })] });

const collected = (task: string, count: number): Promise<void> =>
  until(() => collector.spansOf(task).length >= count, `${count} spans of ${task}`);

const contextOf = ({ traceId, spanId, flags }: CollectedSpan): string => `00-${traceId}-${spanId}-0${flags}`;
const milliseconds = (nanoseconds: string): number => Number(nanoseconds.slice(0, -6));

async function timesOf(test: TestEngine, id: string): Promise<Map<string, number>> {
  const records = await test.history(await test.until(id, () => true));
  return new Map(records.map(({ event, time }) => [event.type, time]));
}

/** A task that continues a trace, with secrets in all of its texts. */
async function createSecretTask(test: TestEngine): Promise<void> {
  const request = createTaskSchema.parse({
    id: 'a',
    title: SECRET,
    description: SECRET,
    params: { key: SECRET },
    labels: { label: SECRET },
    agent: 'worker',
    priority: 7,
  });
  const trace = { traceparent: `00-${TRACE}-${PARENT_SPAN}-01`, tracestate: 'rojo=1' };
  await createTask(test.app, PROJECT, request, { actor: 'user:test', attempt: null }, trace);
}

describe('the spans of a task', () => {
  it('have agent, task, times, outcome and trace', async () => {
    await using engine = await start();
    await createSecretTask(engine.test);
    await collected('a', 2);
    const [attempt, task] = collector.spansOf('a');
    const times = await timesOf(engine.test, 'a');
    const at = (type: string): string => `${times.get(type)}000000`;
    const wait = (times.get('task.claimed') ?? 0) - (times.get('task.created') ?? 0);
    expect(task).toEqual({
      traceId: TRACE,
      spanId: expect.any(String),
      parentSpanId: PARENT_SPAN,
      traceState: 'rojo=1',
      flags: 1,
      name: 'signalbox.task',
      kind: 1,
      startTimeUnixNano: at('task.created'),
      endTimeUnixNano: at('task.approved'),
      attributes: {
        'signalbox.project': 'demo',
        'signalbox.task.id': 'a',
        'signalbox.task.priority': 7,
        'signalbox.task.state': 'done',
        'signalbox.task.run': 1,
        'signalbox.task.attempts': 1,
      },
      events: [
        ['pending', 'task.created'],
        ['claimed', 'task.claimed'],
        ['working', 'attempt.started'],
        ['review', 'attempt.ended'],
        ['done', 'task.approved'],
      ].map(([state, type = '']) => ({
        timeUnixNano: at(type),
        name: `signalbox.task.${state}`,
        attributes: {},
      })),
      ...NOTHING_ELSE,
    });
    expect(attempt).toEqual({
      traceId: TRACE,
      spanId: given.get('a/1')?.slice(36, 52),
      parentSpanId: task?.spanId,
      traceState: 'rojo=1',
      flags: 1,
      name: 'invoke_agent worker',
      kind: 3,
      startTimeUnixNano: at('task.claimed'),
      endTimeUnixNano: at('attempt.ended'),
      attributes: {
        'gen_ai.operation.name': 'invoke_agent',
        'gen_ai.provider.name': 'function',
        'gen_ai.agent.id': 'worker',
        'gen_ai.agent.name': 'worker',
        'signalbox.project': 'demo',
        'signalbox.task.id': 'a',
        'signalbox.attempt': 1,
        'signalbox.attempt.outcome': 'completed',
        'signalbox.attempt.wait_ms': wait,
        'signalbox.driver': 'function',
        'host.name': hostname(),
      },
      events: [{ timeUnixNano: at('attempt.started'), name: 'signalbox.attempt.started', attributes: {} }],
      ...NOTHING_ELSE,
    });
  });

  it('name the program and the host, and contain no content of the task', async () => {
    await using engine = await start();
    await createSecretTask(engine.test);
    await collected('a', 2);
    const [request] = collector.requests;
    expect(request).toMatchObject({ path: '/v1/traces', headers: { 'content-type': 'application/json' } });
    expect(request?.resource).toEqual({
      'service.name': 'signalbox',
      'service.version': VERSION,
      'host.name': hostname(),
    });
    expect(collector.requests.map(({ text }) => text).join()).not.toContain(SECRET);
  });

  it('of retries are siblings with their errors, and match the trace that agents get', async () => {
    await using engine = await start();
    await engine.test.create({ id: 'fails', agent: 'worker' });
    await collected('fails', 4);
    const [first, second, third, task] = collector.spansOf('fails');
    expect([first, second, third].map((span) => span && contextOf(span))).toEqual(
      [1, 2, 3].map((attempt) => given.get(`fails/${attempt}`)),
    );
    const spans = [first, second, third];
    expect(spans.map((span) => span?.parentSpanId)).toEqual([task?.spanId, task?.spanId, task?.spanId]);
    expect(spans.map((span) => span?.status)).toEqual([{ code: 2 }, { code: 2 }, {}]);
    expect(spans.map((span) => span?.attributes['error.type'])).toEqual(['failed', 'failed', undefined]);
    expect(task?.attributes).toMatchObject({ 'signalbox.task.state': 'done', 'signalbox.task.attempts': 3 });
    expect(collector.requests.map(({ text }) => text).join()).not.toContain(SECRET);
  });

  it('of a stopped attempt have the reason, and a cancellation is not an error', async () => {
    await using engine = await start();
    await engine.test.create({ id: 'hangs', agent: 'worker' });
    await engine.test.until('hangs', ({ state }) => state === 'working');
    await cancelTask(engine.test.app, { project: PROJECT, task: 'hangs' }, { comment: SECRET }, 'user:ann');
    await collected('hangs', 2);
    const spans = collector.spansOf('hangs');
    // The task ends before its process.
    const [task, attempt] = spans;
    expect(task).toMatchObject({ name: 'signalbox.task', status: {} });
    expect(task?.attributes).toMatchObject({ 'signalbox.task.state': 'cancelled' });
    expect(attempt).toMatchObject({ name: 'invoke_agent worker', status: {}, parentSpanId: task?.spanId });
    expect(attempt?.attributes).toMatchObject({
      'signalbox.attempt.outcome': 'cancelled',
      'signalbox.attempt.stop_reason': 'cancelled',
    });
    expect(attempt?.attributes).not.toHaveProperty('error.type');
    expect(attempt?.events.map(({ name }) => name)).toEqual([
      'signalbox.attempt.started',
      'signalbox.attempt.stop_requested',
    ]);
    expect(collector.requests.map(({ text }) => text).join()).not.toContain(SECRET);
  });

  it('of a redriven task are one for each run, the later ones below the first and linked to it', async () => {
    await using engine = await start();
    await engine.test.create({ id: 'fails', agent: 'worker', max_attempts: 1 });
    await engine.test.until('fails', ({ state }) => state === 'failed');
    await retryTask(engine.test.app, { project: PROJECT, task: 'fails' }, {}, 'user:ann');
    await engine.test.until('fails', ({ state, attempts }) => state === 'failed' && attempts === 2);
    await retryTask(engine.test.app, { project: PROJECT, task: 'fails' }, {}, 'user:ann');
    await collected('fails', 6);
    const spans = collector.spansOf('fails');
    const lives = spans.filter(({ name }) => name === 'signalbox.task');
    const [first, second, third] = lives;
    expect(lives.map(({ attributes }) => attributes['signalbox.task.state'])).toEqual([
      'failed',
      'failed',
      'done',
    ]);
    expect(first?.attributes['error.type']).toBe('failed');
    expect([second?.parentSpanId, third?.parentSpanId]).toEqual([first?.spanId, first?.spanId]);
    expect(second?.links).toMatchObject([
      { spanId: first?.spanId, attributes: { 'signalbox.link': 'earlier_run' } },
    ]);
    const attempts = spans.filter(({ name }) => name === 'invoke_agent worker');
    expect(attempts.map(({ parentSpanId }) => parentSpanId)).toEqual(lives.map(({ spanId }) => spanId));
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(6);
    expect(milliseconds(second?.startTimeUnixNano ?? '')).toBeGreaterThanOrEqual(
      milliseconds(first?.endTimeUnixNano ?? ''),
    );
  });

  it('are connected: children and follow-ups below, dependencies and other traces linked', async () => {
    await using engine = await start();
    const follow_ups = [
      { title: 'then', agent: 'worker', description: '', outputs: 'optional', review: 'auto' },
    ];
    await engine.test.create({ id: 'a', agent: 'worker', delay_seconds: 0.3, follow_ups } as never);
    await engine.test.create({ id: 'child', agent: 'worker', parent: 'a' });
    await engine.test.create({ id: 'after', agent: 'worker', depends_on: ['a', 'child'] });
    const elsewhere = createTaskSchema.parse({ id: 'elsewhere', title: 'x', agent: 'worker', parent: 'a' });
    const trace = { traceparent: `00-${TRACE}-${PARENT_SPAN}-01` };
    await createTask(engine.test.app, PROJECT, elsewhere, { actor: 'user:test', attempt: null }, trace);
    for (const id of ['a', 'child', 'after', 'elsewhere', 'a-f1']) await collected(id, 2);
    const spanOf = (id: string) => collector.spansOf(id).find(({ name }) => name === 'signalbox.task');
    const a = spanOf('a');
    expect(a?.parentSpanId).toBeUndefined();
    for (const id of ['child', 'a-f1']) {
      expect(spanOf(id)).toMatchObject({ traceId: a?.traceId, parentSpanId: a?.spanId, links: [] });
    }
    expect(spanOf('after')?.traceId).not.toBe(a?.traceId);
    expect(spanOf('after')?.links).toMatchObject([
      { traceId: a?.traceId, spanId: a?.spanId, attributes: { 'signalbox.link': 'depends_on' } },
      { spanId: spanOf('child')?.spanId, attributes: { 'signalbox.link': 'depends_on' } },
    ]);
    expect(spanOf('elsewhere')).toMatchObject({
      traceId: TRACE,
      parentSpanId: PARENT_SPAN,
      links: [{ traceId: a?.traceId, spanId: a?.spanId, attributes: { 'signalbox.link': 'parent' } }],
    });
  });

  it('of a review by an agent are below the task, and linked to the reviewed attempt', async () => {
    const judge = functionAgent('judge', () => '{"verdict":"approve"}');
    const agents = [functionAgent('worker', handler), judge];
    await using engine = await world.start(collector.url, { agents });
    await engine.test.create({ id: 'a', agent: 'worker', review: 'judge' });
    await collected('a-r1', 2);
    await collected('a', 2);
    const [attempt, task] = collector.spansOf('a');
    const review = collector.spansOf('a-r1').find(({ name }) => name === 'signalbox.task');
    expect(review).toMatchObject({
      traceId: task?.traceId,
      parentSpanId: task?.spanId,
      links: [{ spanId: attempt?.spanId, attributes: { 'signalbox.link': 'reviews' } }],
    });
  });

  it('end with the decision of a person; a rejected task waits twice', async () => {
    await using engine = await start();
    await engine.test.create({ id: 'a', agent: 'worker', review: 'manual' });
    await engine.test.until('a', ({ state, openAttempt }) => state === 'review' && openAttempt === null);
    await rejectTask(engine.test.app, { project: PROJECT, task: 'a' }, { comment: SECRET }, 'user:ann');
    await engine.test.until('a', ({ state, attempts }) => state === 'review' && attempts === 2);
    await engine.test.until('a', ({ openAttempt }) => openAttempt === null);
    await approveTask(engine.test.app, { project: PROJECT, task: 'a' }, {}, 'user:ann');
    await collected('a', 3);
    const task = collector.spansOf('a').at(-1);
    expect(task?.events.map(({ name }) => name.replace('signalbox.task.', ''))).toEqual([
      ...['pending', 'claimed', 'working', 'review'],
      ...['pending', 'claimed', 'working', 'review', 'done'],
    ]);
    for (const attempt of collector.spansOf('a').slice(0, 2)) {
      expect(attempt.attributes['signalbox.attempt.wait_ms']).toBeGreaterThanOrEqual(0);
    }
  });

  it('of an unsampled trace are not sent, nor those below it', async () => {
    await using engine = await start();
    const unwanted = createTaskSchema.parse({ id: 'unwanted', title: 'x', agent: 'worker' });
    const trace = { traceparent: `00-${TRACE}-${PARENT_SPAN}-00` };
    await createTask(engine.test.app, PROJECT, unwanted, { actor: 'user:test', attempt: null }, trace);
    await engine.test.create({ id: 'wanted', agent: 'worker' });
    await collected('wanted', 2);
    await engine.test.until('unwanted', ({ state }) => state === 'done');
    await engine.test.create({ id: 'last', agent: 'worker' });
    await collected('last', 2);
    expect(collector.spansOf('unwanted')).toEqual([]);
    expect(given.get('unwanted/1')).toMatch(new RegExp(`^00-${TRACE}-[\\da-f]{16}-00$`));
  });
});
