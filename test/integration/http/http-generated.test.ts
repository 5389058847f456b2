/**
 * Every operation of the document, asked in every way: as it is meant, with what does not fit, and with noise. Whatever
 * comes, the answer is one that the document lists, in the form that it says, and never a 500.
 */
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAnyTask } from '../../../src/app/tasks/create-task.ts';
import { BACKGROUND_AGENT } from '../../../src/contracts/api/background.ts';
import { createTaskSchema } from '../../../src/contracts/api/requests.ts';
import { webhookConfigSchema } from '../../../src/contracts/api/webhooks.ts';
import { BACKGROUND_PROJECT } from '../../../src/contracts/ids.ts';
import { functionAgent } from '../../support/engine.ts';
import { valuesOf } from '../../support/history/schema-arbitrary.ts';
import { Gate, startHttp, TASKS, type TestHttp } from '../../support/http/http.ts';
import { Api, type ApiAnswer, type ApiOperation } from '../../support/http/openapi.ts';

const RUNS = 25;
/** Streams do not end: they have tests of their own. */
const NOTHING_THERE = /question|answer|schedule|permission|rule|steer|diff|workspace|budget|template/i;
const ENDLESS = /event-stream/;

/** What the parameters of a path may name; the first ones are meant together. */
const THERE: Readonly<Record<string, readonly string[]>> = {
  project: ['demo'],
  task: ['a', 'done'],
  agent: ['worker'],
  attempt: ['1'],
  kind: ['agent', 'type'],
  name: ['worker', 'echo'],
};

interface Ask {
  readonly path: string;
  readonly body?: string;
  readonly headers: Readonly<Record<string, string>>;
}

describe('every operation of the document', () => {
  let http: TestHttp;
  let api: Api;
  const resolve = (ref: string) => {
    const name = ref.slice(ref.lastIndexOf('/') + 1);
    const { schemas } = api.document.components as { schemas: Record<string, Record<string, unknown>> };
    return schemas[name] ?? {};
  };

  beforeAll(async () => {
    const worker = functionAgent('worker', new Gate().handler, { concurrency: 2 });
    const quick = functionAgent('quick', () => 'done', { capabilities: ['echo', 'code_review'] });
    // No server listens there, so that it has dead letters to read and choose from.
    const nowhere = webhookConfigSchema.parse({
      url: 'http://127.0.0.1:9/',
      events: ['agent.retired'],
      secret_env: 'SECRET',
    });
    const webhooks = { configs: { a: nowhere }, env: { SECRET: 'x' } };
    // Nothing is run here: what commands do has tests of its own.
    const shell = functionAgent(BACKGROUND_AGENT, () => 'printed', { concurrency: 2 });
    http = await startHttp({ agents: [worker, quick, shell] }, {}, webhooks);
    api = await Api.of(http.url);
    await http.working('a');
    const command = { id: 'a', title: 'a command', agent: BACKGROUND_AGENT, params: { command: 'true' } };
    const { app } = http.test;
    await createAnyTask(app, BACKGROUND_PROJECT, createTaskSchema.parse(command), {
      actor: 'user:test',
      attempt: null,
    });
    await http.post(TASKS, { id: 'done', title: 'a task', agent: 'quick', review: 'auto' });
    await http.test.until('done', ({ state }) => state === 'done');
    await http.post('/api/projects/default/tasks', {
      id: 'a',
      title: 'a job',
      agent: 'quick',
      review: 'manual',
    });
  });
  afterAll(async () => http[Symbol.asyncDispose]());

  /** Ids that are there, ids that are not, and what is none. */
  const inPath = (name: string): fc.Arbitrary<string> => {
    const there = THERE[name] ?? ['a'];
    const ids = fc.constantFrom(...there);
    return fc.oneof(
      { weight: 8, arbitrary: ids },
      { weight: 1, arbitrary: fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/) },
      { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 70, unit: 'binary' }) },
    );
  };

  function pathsOf({ path, parameters }: ApiOperation): fc.Arbitrary<string> {
    const names = parameters.filter((each) => each.in === 'path').map(({ name }) => name);
    return fc.tuple(...names.map(inPath)).map((values) =>
      names.reduce((text, name, index) => {
        const value = encodeURIComponent(values[index] ?? '');
        // A segment of dots would be another path.
        return text.replace(`{${name}}`, /^\.+$/.test(value) ? '%20' : value);
      }, path),
    );
  }

  function queriesOf({ parameters }: ApiOperation): fc.Arbitrary<string> {
    const declared = parameters.filter((each) => each.in === 'query' && each.name !== 'wait');
    const meant = fc.record(
      Object.fromEntries(declared.map(({ name, schema }) => [name, valuesOf(schema, resolve)])),
      { requiredKeys: [] },
    );
    const odd = fc.dictionary(
      fc.constantFrom(...declared.map(({ name }) => name), 'nothing'),
      fc.string({ maxLength: 20 }),
      { maxKeys: 3 },
    );
    return fc
      .oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 3, arbitrary: meant }, odd)
      .map((query) => {
        const entries = Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]);
        return entries.length === 0 ? '' : `?${new URLSearchParams(entries)}`;
      });
  }

  function bodiesOf({ requestBody }: ApiOperation): fc.Arbitrary<string | undefined> {
    const content = requestBody?.content['application/json'];
    if (!content) return fc.constant(undefined);
    const examples = Object.values(content.examples ?? {}).map(({ value }) => JSON.stringify(value));
    return fc.oneof(
      { weight: 1, arbitrary: fc.constantFrom(...examples, '{}') },
      {
        weight: 4,
        arbitrary: valuesOf(content.schema as Record<string, unknown>, resolve).map((v) => JSON.stringify(v)),
      },
      { weight: 2, arbitrary: fc.json({ maxDepth: 4 }) },
      { weight: 1, arbitrary: fc.string({ maxLength: 40 }) },
    );
  }

  const headersOf = (): fc.Arbitrary<Record<string, string>> =>
    fc.oneof(
      { weight: 4, arbitrary: fc.constant({}) },
      fc.constantFrom('a', 'done').map((task) => ({ authorization: `Bearer ${http.token(task)}` })),
      fc.constantFrom<Record<string, string>>(
        { authorization: 'Bearer no-such-token' },
        { authorization: 'Basic YTpi' },
        { 'if-none-match': '*' },
        { 'idempotency-key': 'k' },
        { 'content-type': 'text/plain' },
        { origin: 'http://elsewhere.example' },
      ),
    );

  async function ask(operation: ApiOperation, { path, body, headers }: Ask): Promise<ApiAnswer> {
    const response = await fetch(http.url + path, {
      method: operation.method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const contentType = response.headers.get('content-type') ?? '';
    return { status: response.status, contentType, text: await response.text() };
  }

  /** As a client would: an address that is there, the example as the body, and the token of who may. */
  async function askAsMeant(operation: ApiOperation): Promise<ApiAnswer> {
    const { path, requestBody } = operation;
    const { value } = requestBody?.content['application/json']?.examples?.typical ?? {};
    const isSaidByAgents = /^(reportStatus|reportHeartbeat|addOutput|askQuestion)$/.test(
      operation.operationId,
    );
    return ask(operation, {
      path: path.replace(/\{(\w+)\}/g, (_, name: string) => THERE[name]?.[0] ?? 'a'),
      headers: isSaidByAgents ? { authorization: `Bearer ${http.token('a')}` } : {},
      ...(value === undefined ? {} : { body: JSON.stringify(value) }),
    });
  }

  it('accepts a valid request, and answers as documented', async () => {
    for (const operation of api.operations) {
      if (ENDLESS.test(JSON.stringify(operation.responses))) continue;
      const answer = await askAsMeant(operation);
      api.check(operation, answer);
      // Nothing signs this log: there is no key that could be exchanged.
      if (operation.operationId === 'rotateAuditKey') continue;
      // No question is open here, no schedule, no budget and no template is there, and no task has a workspace.
      if (NOTHING_THERE.test(operation.operationId)) continue;
      const what = `${operation.operationId}: ${answer.text}`;
      expect([400, 401, 403, 404, 405, 413, 415, 422], what).not.toContain(answer.status);
    }
  });

  it('answers as documented to any request', { timeout: 120_000 }, async () => {
    for (const operation of api.operations) {
      if (ENDLESS.test(JSON.stringify(operation.responses))) continue;
      const asks = fc.record({
        path: fc.tuple(pathsOf(operation), queriesOf(operation)).map(([path, query]) => path + query),
        body: bodiesOf(operation),
        headers: headersOf(),
      });
      const property = fc.asyncProperty(asks, async ({ body, ...request }) => {
        api.check(operation, await ask(operation, body === undefined ? request : { ...request, body }));
      });
      await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
    }
  });
});
