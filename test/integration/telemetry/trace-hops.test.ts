/** The trace of a request for a task continues in the log, in its attempts, and in webhooks. */
import { randomBytes } from 'node:crypto';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { beforeEach, describe, expect, it } from 'vitest';
import { SignalboxClient } from '../../../src/client/client.ts';
import { mcpOverHttp } from '../../../src/client/mcp/http.ts';
import { webhookConfigSchema } from '../../../src/contracts/api/webhooks.ts';
import type { FunctionContext } from '../../../src/drivers/function.ts';
import type { HttpServerOptions } from '../../../src/http/server.ts';
import { functionAgent } from '../../support/engine.ts';
import { startHttp, TASKS, type TestHttp, type WebhookSettings } from '../../support/http/http.ts';
import { Receiver } from '../../support/http/receiver.ts';
import { MemoryLog } from '../../support/memory-journal.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;
const HEADERS = { traceparent: PARENT, tracestate: 'rojo=1' };

/** The traceparents of attempts, by `task/attempt`. */
let given: Map<string, string>;
beforeEach(() => {
  given = new Map();
});

function quick({ task, attempt, traceparent }: FunctionContext): string {
  given.set(`${task}/${attempt}`, traceparent);
  if (task === 'twice' && attempt === 1) throw new Error('once more');
  return 'ok';
}

function start(options: Partial<HttpServerOptions> = {}, hooks?: WebhookSettings): Promise<TestHttp> {
  const agents = [functionAgent('quick', quick, { concurrency: 4, capabilities: ['thing'] })];
  return startHttp({ agents }, options, hooks, new MemoryLog());
}

const traceIn = (traceparent: string | undefined): string | undefined => traceparent?.slice(3, 35);
const flagsIn = (traceparent: string | undefined): string | undefined => traceparent?.slice(53);

async function done(http: TestHttp, id: string): Promise<void> {
  await http.test.until(id, ({ state }) => state === 'done');
}

interface Created {
  readonly traceparent?: string;
  readonly data: {
    readonly event: {
      readonly type: string;
      readonly task?: string;
      readonly spec?: { readonly traceparent?: string; readonly tracestate?: string };
    };
  };
}

/** The stored event that created a task. */
function created({ log }: TestHttp, id: string): Created | undefined {
  return log.messages
    .map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as Created)
    .find(({ data: { event } }) => event.type === 'task.created' && event.task === id);
}

describe('the trace of a request', () => {
  it('is stored with the task, and every attempt belongs to it', async () => {
    await using http = await start();
    await http.post(TASKS, { id: 'twice', title: 'x', agent: 'quick' }, { headers: HEADERS });
    await done(http, 'twice');
    expect(created(http, 'twice')).toMatchObject({
      traceparent: PARENT,
      data: { event: { spec: HEADERS } },
    });
    const [first, second] = [given.get('twice/1'), given.get('twice/2')];
    expect([first, second].map(traceIn)).toEqual([TRACE, TRACE]);
    expect(new Set([PARENT, first, second]).size).toBe(3);
  });

  it('is unsampled for its attempts, too, if it is unsampled', async () => {
    await using http = await start();
    const headers = { traceparent: PARENT.replace(/01$/, '00') };
    await http.post(TASKS, { id: 'a', title: 'x', agent: 'quick' }, { headers });
    await done(http, 'a');
    expect(flagsIn(given.get('a/1'))).toBe('00');
  });

  it('is ignored if it is malformed: the task has a trace of its own', async () => {
    await using http = await start();
    const headers = { traceparent: `${PARENT}-more`, tracestate: 'rojo=1' };
    const answer = await http.post(TASKS, { id: 'a', title: 'x', agent: 'quick' }, { headers });
    expect(answer.status).toBe(201);
    await done(http, 'a');
    expect(created(http, 'a')?.data.event.spec).not.toHaveProperty('traceparent');
    expect(created(http, 'a')).not.toHaveProperty('traceparent');
    expect(given.get('a/1')).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/);
    expect(traceIn(given.get('a/1'))).not.toBe(TRACE);
  });

  it('is not part of the request: the same request with another trace creates nothing', async () => {
    await using http = await start();
    const task = { id: 'a', title: 'x', agent: 'quick' };
    expect((await http.post(TASKS, task, { headers: HEADERS })).status).toBe(201);
    const elsewhere = { traceparent: PARENT.replace('b7', 'b8') };
    expect((await http.post(TASKS, task, { headers: elsewhere })).status).toBe(200);
    expect(created(http, 'a')).toMatchObject({ traceparent: PARENT });
  });

  it('continues in children and follow-ups, each below its origin', async () => {
    await using http = await start();
    const follow_ups = [{ title: 'then', agent: 'quick', outputs: 'optional', review: 'auto' }];
    const held = { id: 'a', title: 'x', agent: 'quick', delay_seconds: 0.2, follow_ups };
    await http.post(TASKS, held, { headers: HEADERS });
    await http.post(TASKS, { id: 'b', title: 'x', agent: 'quick', parent: 'a' });
    await done(http, 'b');
    await done(http, 'a-f1');
    const attempts = ['a/1', 'b/1', 'a-f1/1'].map((attempt) => given.get(attempt));
    expect(attempts.map(traceIn)).toEqual([TRACE, TRACE, TRACE]);
    expect(new Set(attempts).size).toBe(3);
    const followUp = created(http, 'a-f1')?.data.event.spec;
    expect(followUp).toMatchObject({ tracestate: 'rojo=1', traceparent: expect.stringContaining(TRACE) });
    expect(followUp?.traceparent).not.toBe(PARENT);
  });

  it('is accepted by the plain job API, by the client library and over MCP', async () => {
    await using http = await start({ mcp: mcpOverHttp(() => http.url) });
    const job = await http.post('/tasks', { task_type: 'thing', description: 'x' }, { headers: HEADERS });
    const { task_id } = job.body as { readonly task_id: string };
    expect(created(http, task_id)).toMatchObject({ traceparent: PARENT });

    const client = new SignalboxClient({ url: http.url, trace: HEADERS });
    await client.createTask({ project: 'demo', id: 'c', title: 'x', agent: 'quick' });
    expect(created(http, 'c')?.data.event.spec).toMatchObject(HEADERS);
    const nearer = PARENT.replace('b7', 'b8');
    await client.createTask(
      { project: 'demo', id: 'd', title: 'x', agent: 'quick' },
      { trace: { traceparent: nearer } },
    );
    expect(created(http, 'd')?.data.event.spec).toMatchObject({ traceparent: nearer });
    expect(created(http, 'd')?.data.event.spec).not.toHaveProperty('tracestate');

    const tools = new Client({ name: 'test', version: '1' });
    const target = new URL(`${http.url}/mcp?project=demo`);
    await tools.connect(new StreamableHTTPClientTransport(target, { requestInit: { headers: HEADERS } }));
    const call = async (task: { readonly idempotency_key: string }, _meta?: Record<string, string>) => {
      const args = { title: 'x', agent: 'quick', ...task };
      const answer = await tools.callTool({ name: 'task_create', arguments: args, ...(_meta && { _meta }) });
      return created(http, (answer.structuredContent as { readonly id: string }).id)?.traceparent;
    };
    expect(await call({ idempotency_key: 'header' })).toBe(PARENT);
    expect(await call({ idempotency_key: 'meta' }, { traceparent: nearer })).toBe(nearer);
    await tools.close();
  });

  it('is sent with webhooks about the task, and with no others', async () => {
    const key = randomBytes(24);
    await using receiver = await Receiver.start(key);
    const config = { url: receiver.url, events: ['*'], secret_env: 'SECRET' };
    const hooks = {
      configs: { all: webhookConfigSchema.parse(config) },
      env: { SECRET: `whsec_${key.toString('base64')}` },
    };
    await using http = await start({}, hooks);
    await http.post(TASKS, { id: 'a', title: 'x', agent: 'quick' }, { headers: HEADERS });
    await done(http, 'a');
    await http.post('/api/agents/quick/pause', {});
    await expect.poll(() => receiver.taken.at(-1), { timeout: 5_000 }).toBe('agent.paused');
    const ofTask = receiver.received.filter(({ body }) => body.event.task === 'a');
    expect(new Set(ofTask.map(({ traceparent }) => traceIn(traceparent ?? undefined)))).toEqual(
      new Set([TRACE]),
    );
    expect(new Set(ofTask.map(({ traceparent }) => traceparent)).size).toBe(1);
    expect(receiver.received.at(-1)?.traceparent).toBeNull();
  });
});
