/** Bad input: a problem with a stable code, and nothing in the log. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../src/contracts/errors.ts';
import { functionAgent } from '../../support/engine.ts';
import { Gate, problemIn, startHttp, TASKS, type TestHttp } from '../../support/http/http.ts';

const good = { title: 'x', agent: 'worker' };
const MEGABYTE = 1_048_576;

describe('operations/refused-leaves-no-trace: bad input over HTTP', () => {
  let http: TestHttp;
  let token: string;
  let before: number;

  beforeAll(async () => {
    http = await startHttp({ agents: [functionAgent('worker', new Gate().handler)] });
    await http.working('a');
    token = http.token('a');
    before = http.events;
  });
  afterAll(async () => {
    await http[Symbol.asyncDispose]();
  });

  const recordsNothing = () => expect(http.events).toBe(before);

  const TEXTS: ReadonlyArray<[what: string, raw: string | Uint8Array<ArrayBuffer>, detail: RegExp]> = [
    ['a text that breaks off', '{"title": "x"', /not JSON/],
    ['a text that is no JSON', 'title=x', /not JSON/],
    ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0xfe, 0x22), /UTF-8/],
    ['a key that would reach a prototype', '{"params": {"__proto__": {"a": 1}}}', /__proto__/],
    ['nested without end', `{"params": {"a": ${'['.repeat(200_000)}${']'.repeat(200_000)}}}`, /deeper/],
    ['no body', '', /title/],
    ['null', 'null', /expected an object/],
    ['a list', '[]', /expected an object/],
  ];
  it.each(TEXTS)('rejects a body that is %s', async (_what, raw, detail) => {
    const problem = problemIn(await http.send('POST', TASKS, { raw }), 400, 'invalid_request');
    expect(problem.detail).toMatch(detail);
    recordsNothing();
  });

  const FIELDS: ReadonlyArray<[path: string, body: object]> = [
    ['title', { agent: 'worker' }],
    ['title', { ...good, title: 7 }],
    ['title', { ...good, title: '   ' }],
    ['priority', { ...good, priority: 11 }],
    ['priority', { ...good, priority: 'urgent' }],
    ['max_attempts', { ...good, max_attempts: 1.5 }],
    ['backoff.factor', { ...good, backoff: { factor: 0 } }],
    ['must_haves[1]', { ...good, must_haves: ['a', 1] }],
    ['expires_at', { ...good, expires_at: 'tomorrow' }],
    ['id', { ...good, id: 'a.b' }],
    ['agent', { title: 'x' }],
    ['titel', { ...good, titel: 'x' }],
    ['links[0]', { ...good, links: ['javascript:alert(1)'] }],
    ['links[1]', { ...good, links: ['https://example.org', 'example.org'] }],
    ['labels.a', { ...good, labels: { a: 1 } }],
  ];
  it.each(FIELDS)('names the field %s of %j', async (path, body) => {
    const problem = problemIn(await http.post(TASKS, body), 400, 'invalid_request');
    expect(problem.errors).toMatchObject([{ path }]);
    expect(problem.detail).toMatch(/^body: /);
    recordsNothing();
  });

  it('names all errors at once', async () => {
    const problem = problemIn(
      await http.post(TASKS, { title: 1, priority: 0, foo: 1 }),
      400,
      'invalid_request',
    );
    expect(problem.errors?.map(({ path }) => path)).toEqual(['title', 'priority', 'foo']);
    expect(problem.details).toBeUndefined();
  });

  it.each([
    ['status', { status: 'done' }],
    ['status', { status: 'working', progress: 3 }],
    ['outputs', { type: 'document', title: 'x' }],
    ['outputs', { type: 'novel', title: 'x', content: 'x' }],
    ['comments', { body: '' }],
  ])('rejects an invalid message of an agent: %s %j', async (path, body) => {
    problemIn(await http.post(`${TASKS}/a/${path}`, body, { token }), 400, 'invalid_request');
    recordsNothing();
  });

  it('answers 413 to a body of 10 MB, also without a content length', async () => {
    const chunk = new TextEncoder().encode('x'.repeat(MEGABYTE));
    const large = { ...good, description: 'x'.repeat(10 * MEGABYTE) };
    problemIn(await http.post(TASKS, large), 413, 'body_too_large');
    problemIn(await http.post(`${TASKS}/a/outputs`, large, { token }), 413, 'body_too_large');
    const stream = ReadableStream.from(Array.from({ length: 10 }, () => chunk));
    const streamed = await fetch(http.url + TASKS, {
      method: 'POST',
      body: stream,
      headers: { 'content-type': 'application/json' },
      duplex: 'half',
    });
    expect(streamed.status).toBe(413);
    expect(await streamed.json()).toMatchObject({ code: 'body_too_large' });
    recordsNothing();
  });

  it('rejects a body with another media type than JSON', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'x']) {
      const sent = { raw: JSON.stringify(good), headers: { 'content-type': type } };
      problemIn(await http.send('POST', TASKS, sent), 415, 'unsupported_media_type');
    }
    recordsNothing();
  });

  const ODD = ['a.b', '.', '..', '%2e%2e', 'a%20b', '*', '%3E', '%00', 'a%2Fb', '%C3%A9', 'x'.repeat(65)];
  it.each(ODD)('rejects the id %s in every path', async (id) => {
    const paths: ReadonlyArray<[method: string, path: string]> = [
      ['GET', `${TASKS}/${id}`],
      ['GET', `${TASKS}/${id}/attempts`],
      ['POST', `${TASKS}/${id}/cancel`],
      ['POST', `${TASKS}/${id}/status`],
      ['GET', `/api/projects/${id}/tasks`],
      ['POST', `/api/projects/${id}/tasks`],
      ['POST', `/api/projects/${id}/tasks/a/approve`],
    ];
    for (const [method, path] of paths) {
      const { status, text, headers } = await http.sendRaw(method, path);
      expect([method, path, status, JSON.parse(text).code]).toEqual([method, path, 400, 'invalid_id']);
      expect(headers['content-type']).toBe('application/problem+json');
    }
    recordsNothing();
  });

  it('names the kind of the first id that is not valid, whatever else is wrong', async () => {
    const read = async (path: string) => JSON.parse((await http.sendRaw('GET', path)).text);
    expect(await read(`${TASKS}/a.b/attempts/0`)).toMatchObject({
      code: 'invalid_id',
      details: { kind: 'task id' },
    });
    expect(await read('/api/projects/a.b/tasks/a.b')).toMatchObject({ details: { kind: 'project' } });
    expect(await read('/api/agents/a.b')).toMatchObject({ details: { kind: 'agent id' } });
    expect(await read(`${TASKS}/a/attempts/0`)).toMatchObject({ code: 'invalid_request' });
  });

  it('rejects a very long id, an empty id and the reserved project with the same error', async () => {
    for (const path of [`${TASKS}/${'x'.repeat(5_000)}`, `${TASKS}/`, '/api/projects/_system/tasks']) {
      expect(JSON.parse((await http.sendRaw('GET', path)).text)).toMatchObject({ code: 'invalid_id' });
    }
  });

  const PLACES: ReadonlyArray<[method: string, path: string, status: number, code: ErrorCode]> = [
    ['GET', `${TASKS}/unknown`, 404, 'task_not_found'],
    ['GET', `${TASKS}/unknown/attempts`, 404, 'task_not_found'],
    ['POST', `${TASKS}/unknown/cancel`, 404, 'task_not_found'],
    ['GET', '/api/projects/other/tasks/a', 404, 'task_not_found'],
    ['GET', '/nowhere', 404, 'not_found'],
    ['POST', `${TASKS}/a/delete`, 404, 'not_found'],
    ['DELETE', `${TASKS}/a`, 405, 'method_not_allowed'],
    ['GET', `${TASKS}/a/cancel`, 405, 'method_not_allowed'],
    ['PUT', TASKS, 405, 'method_not_allowed'],
    ['GET', `${TASKS}?limit=0`, 400, 'invalid_request'],
    ['GET', `${TASKS}?limit=many`, 400, 'invalid_request'],
    ['GET', `${TASKS}?limit=1&limit=2`, 400, 'invalid_request'],
    ['GET', `${TASKS}?status=asleep`, 400, 'invalid_request'],
    ['GET', `${TASKS}?sort=age`, 400, 'invalid_request'],
    ['GET', `${TASKS}?__proto__=1`, 400, 'invalid_request'],
    ['GET', `${TASKS}/a?expand=everything`, 400, 'invalid_request'],
    ['GET', `${TASKS}/a?pause=1`, 400, 'invalid_request'],
    ['POST', `${TASKS}/a/cancel?now=1`, 400, 'invalid_request'],
    ['GET', `${TASKS}/a%zz`, 400, 'invalid_request'],
    ['GET', '/health?x=1', 400, 'invalid_request'],
  ];
  it.each(PLACES)('%s %s is %i %s', async (method, path, status, code) => {
    problemIn(await http.send(method, path), status, code);
    recordsNothing();
  });

  it('names the methods of a path', async () => {
    const answer = await http.send('DELETE', `${TASKS}/a`);
    expect(answer.headers.get('allow')).toBe('GET, HEAD, PATCH');
    expect(problemIn(answer, 405, 'method_not_allowed').details).toEqual({
      allow: ['GET', 'HEAD', 'PATCH'],
    });
    expect((await http.send('PATCH', TASKS, { raw: 'no JSON' })).headers.get('allow')).toBe(
      'GET, HEAD, POST',
    );
  });

  it('rejects an unknown agent, and two different idempotency keys', async () => {
    const unknown = await http.post(TASKS, { title: 'x', agent: 'absent' });
    expect(problemIn(unknown, 404, 'agent_not_found').details).toMatchObject({ known: ['worker'] });
    const keyed = { ...good, idempotency_key: 'a' };
    const differ = await http.post(TASKS, keyed, { headers: { 'idempotency-key': 'b' } });
    problemIn(differ, 400, 'invalid_request');
    const long = await http.post(TASKS, good, { headers: { 'idempotency-key': 'k'.repeat(201) } });
    expect(problemIn(long, 400, 'invalid_request').detail).toMatch(/^Idempotency-Key: /);
    recordsNothing();
  });
});
