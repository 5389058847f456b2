/** Webhooks: at least once, in order, signed; and dead letters. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  redeliveredSchema,
  webhookConfigSchema,
  webhookLettersSchema,
} from '../../../src/contracts/api/webhooks.ts';
import { readRecords } from '../../../src/journal/codec/cloud-event.ts';
import { functionAgent } from '../../support/engine.ts';
import { problemIn, startHttp, TASKS, type TestHttp } from '../../support/http/http.ts';
import { Receiver } from '../../support/http/receiver.ts';
import { MemoryLog } from '../../support/memory-journal.ts';
import { until } from '../../support/until.ts';

const KEY = randomBytes(24);
const ENV = { HOOK_SECRET: `whsec_${KEY.toString('base64')}` };
const FAST = { initial_seconds: 0.01, factor: 1, max_seconds: 0.01, jitter: 0 };

let directory: string;
let receiver: Receiver;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-webhooks-'));
  receiver = await Receiver.start(KEY);
});
afterEach(async () => {
  await receiver[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

interface Hook {
  readonly events?: readonly string[];
  readonly url?: string;
  readonly maxAttempts?: number;
  readonly project?: string;
}

function start(hook: Hook = {}, log = new MemoryLog()): Promise<TestHttp> {
  const { events = ['task.created', 'task.approved'], url = receiver.url, maxAttempts = 3 } = hook;
  const ops = webhookConfigSchema.parse({
    url,
    events,
    project: hook.project,
    secret_env: 'HOOK_SECRET',
    max_attempts: maxAttempts,
    backoff: FAST,
    timeout_seconds: 2,
  });
  const agents = [functionAgent('quick', () => 'ok', { concurrency: 4 })];
  return startHttp({ agents }, {}, { configs: { ops }, env: ENV, directory }, log);
}

async function run(http: TestHttp, id: string, project = 'demo'): Promise<void> {
  await http.post(`/api/projects/${project}/tasks`, { id, title: 'x', agent: 'quick', review: 'auto' });
  const path = `/api/projects/${project}/tasks/${id}?wait=10`;
  expect((await http.get(path)).body).toMatchObject({ status: 'done' });
}

const took = (...lines: string[]) =>
  until(() => receiver.taken.length >= lines.length, `${lines}`).then(() =>
    expect(receiver.taken).toEqual(lines),
  );

const letters = async (http: TestHttp) =>
  webhookLettersSchema.parse((await http.get('/api/webhooks/ops/dead-letters')).body).dead_letters;

describe('a webhook', () => {
  it('gets the configured events in order, signed, with the id of the event', async () => {
    await using http = await start({ project: 'demo' });
    await run(http, 'x', 'other');
    await run(http, 'a');
    await run(http, 'b');
    await took('task.created a', 'task.approved a', 'task.created b', 'task.approved b');
    expect(receiver.received.every(({ isSigned }) => isSigned)).toBe(true);
    for (const { id, body } of receiver.received) {
      const stored = http.log.messages[body.sequence - 1];
      expect(stored && readRecords(stored).map((record) => record.id)).toContain(id);
    }
    const { webhooks } = (await http.get('/api/webhooks')).body as { webhooks: object[] };
    expect(webhooks).toMatchObject([{ id: 'ops', state: 'waiting', dead_letters: 0, last_error: null }]);
    expect(JSON.stringify(webhooks)).not.toContain('/hook');
  });

  it('retries an event until the receiver accepts it, before it sends the next one', async () => {
    let refusals = 2;
    receiver.answer = () => (refusals-- > 0 ? 503 : 200);
    await using http = await start();
    await run(http, 'a');
    await took('task.created a', 'task.approved a');
    expect(receiver.received.map(({ status }) => status)).toEqual([503, 503, 200, 200]);
    expect(new Set(receiver.received.slice(0, 3).map(({ id }) => id)).size).toBe(1);
    expect(await letters(http)).toEqual([]);
  });

  it('gets after a restart the events that happened in the meantime, each once', async () => {
    const log = new MemoryLog();
    const first = await start({}, log);
    await run(first, 'a');
    await took('task.created a', 'task.approved a');
    const last = receiver.received.at(-1)?.body.sequence ?? 0;
    await until(() => (first.webhooks.list()[0]?.position ?? 0) >= last, 'its position to move on');
    await first[Symbol.asyncDispose]();

    // Runs without the webhook, as if it was down.
    const agents = [functionAgent('quick', () => 'ok')];
    const between = await startHttp({ agents }, {}, undefined, log);
    await run(between, 'b');
    await between[Symbol.asyncDispose]();

    await using second = await start({}, log);
    await run(second, 'c');
    await took(...['a', 'b', 'c'].flatMap((id) => [`task.created ${id}`, `task.approved ${id}`]));
  });

  it('begins with new events if it is new', async () => {
    const log = new MemoryLog();
    const agents = [functionAgent('quick', () => 'ok')];
    const before = await startHttp({ agents }, {}, undefined, log);
    await run(before, 'old');
    await before[Symbol.asyncDispose]();
    await using http = await start({}, log);
    await run(http, 'new');
    await took('task.created new', 'task.approved new');
  });

  it('does not follow redirects, which are failures', async () => {
    const elsewhere = await Receiver.start(KEY);
    await using _elsewhere = elsewhere;
    receiver.answer = () => ({ status: 307, location: elsewhere.url });
    await using http = await start({ events: ['task.created'], maxAttempts: 1 });
    await run(http, 'a');
    await until(async () => (await letters(http)).length === 1, 'a dead letter');
    expect(await letters(http)).toMatchObject([
      { type: 'task.created', error: expect.stringContaining('307') },
    ]);
    expect(elsewhere.received).toEqual([]);
  });

  it('does not start without its secret, or with a damaged file', async () => {
    const hook = webhookConfigSchema.parse({ url: receiver.url, events: ['*'], secret_env: 'MISSING' });
    await expect(startHttp({ agents: [] }, {}, { configs: { ops: hook }, env: {} })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('MISSING is not set'),
    });
    await writeFile(join(directory, 'ops.json'), '{');
    await expect(start()).rejects.toMatchObject({ code: 'config_invalid' });
  });
});

describe('dead letters of a webhook', () => {
  it('do not stop later events, and keep their id when they are redelivered', async () => {
    receiver.answer = ({ body: { event } }) => (event.task === 'bad' ? 500 : 204);
    const log = new MemoryLog();
    const first = await start({}, log);
    await run(first, 'bad');
    await run(first, 'good');
    await took('task.created good', 'task.approved good');
    expect((await letters(first)).map(({ type, attempts }) => [type, attempts])).toEqual([
      ['task.created', 3],
      ['task.approved', 3],
    ]);
    await first[Symbol.asyncDispose]();

    // Dead letters survive a restart.
    await using http = await start({}, log);
    const [created, approved] = await letters(http);
    const refused = await http.post('/api/webhooks/ops/redeliver', { sequences: [created?.sequence, 1] });
    expect(redeliveredSchema.parse(refused.body)).toMatchObject({
      delivered: [],
      errors: [{ sequence: 1 }, { sequence: created?.sequence, detail: expect.stringContaining('500') }],
      left: 2,
    });

    receiver.answer = () => 204;
    const redelivered = await http.post('/api/webhooks/ops/redeliver', { all: true });
    const delivered = [created?.sequence, approved?.sequence];
    expect(redelivered.body).toEqual({ delivered, errors: [], left: 0 });
    const ids = receiver.received
      .filter(({ body }) => body.sequence === created?.sequence)
      .map(({ id }) => id);
    expect(new Set(ids)).toEqual(new Set([created?.event_id]));
    expect(await letters(http)).toEqual([]);
  });

  it('can be discarded; a request for an unknown webhook names the known ones', async () => {
    receiver.answer = () => 500;
    await using http = await start({ events: ['task.created'], maxAttempts: 1 });
    await run(http, 'a');
    await until(async () => (await letters(http)).length === 1, 'a dead letter');
    const [letter] = await letters(http);
    const discarded = await http.post('/api/webhooks/ops/discard', { sequences: [letter?.sequence] });
    expect(discarded.body).toMatchObject({ delivered: [letter?.sequence], left: 0 });
    expect(receiver.received).toHaveLength(1);
    const missing = problemIn(await http.post('/api/webhooks/none/discard', { all: true }), 404, 'not_found');
    expect(missing.detail).toContain('ops');
    problemIn(await http.post('/api/webhooks/ops/discard', {}), 400, 'invalid_request');
    expect((await http.get(`${TASKS}/a`)).status).toBe(200);
  });
});
