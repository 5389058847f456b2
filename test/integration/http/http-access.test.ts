/**
 * Tokens: what each caller may do, and the errors for other requests. Long because most of it is about the same callers of
 * one Signalbox.
 */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mcpOverHttp } from '../../../src/client/mcp/http.ts';
import { readAccess } from '../../../src/operations/access/access-state.ts';
import { People } from '../../../src/operations/access/people.ts';
import { addToken, openAccess, readTokens, removeToken } from '../../../src/operations/access/tokens-file.ts';
import { functionAgent, silentLogger } from '../../support/engine.ts';
import {
  accessIn,
  Gate,
  problemIn,
  startHttp,
  TASKS,
  type TestHttp,
  taskIn,
} from '../../support/http/http.ts';
import { until } from '../../support/until.ts';

const agents = () => [functionAgent('worker', new Gate().handler, { concurrency: 2 })];
const later = { title: 'x', agent: 'worker', delay_seconds: 60 };

describe('access with tokens', () => {
  let directory: string;
  let http: TestHttp;
  let admin: string;
  let observer: string;
  let attempt: string;
  let before: number;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signalbox-access-'));
    const file = accessIn(directory);
    admin = await addToken(file, 'ann', 'admin', 0);
    observer = await addToken(file, 'wall', 'observer', 0);
    const people = await People.open(file, silentLogger, () => performance.now());
    http = await startHttp({ agents: agents() }, { people, mcp: mcpOverHttp(() => http.url) });
    taskIn(await http.post(TASKS, { id: 'a', title: 'x', agent: 'worker' }, { token: admin }), 201);
    await http.test.until('a', ({ state }) => state === 'working');
    attempt = http.token('a');
    before = http.events;
  });
  afterAll(async () => {
    await http[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const GETS = [TASKS, `${TASKS}/a`, '/api/tasks', '/api/agents', '/api/dead-letters', `${TASKS}/none`];

  it.each(GETS)('GET %s answers 401 without a token, or with an invalid one', async (path) => {
    for (const sent of [{}, { token: 'sbx_false' }, { headers: { authorization: 'Basic YTpi' } }]) {
      const answer = await http.get(path, sent);
      problemIn(answer, 401, 'unauthorized');
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
  });

  it.each(['/health', '/ready', '/openapi.json'])('allows %s without a token', async (path) => {
    expect((await http.get(path)).status).toBe(200);
  });

  it('lets an observer read everything, and decide nothing: 403', async () => {
    for (const path of GETS.slice(0, -1))
      expect((await http.get(path, { token: observer })).status).toBe(200);
    const words = [
      [TASKS, later],
      [`${TASKS}/a/cancel`, {}],
      [`${TASKS}/a/comments`, { author: 'x', body: 'x' }],
      [`${TASKS}/a/status`, { status: 'working' }],
      ['/api/agents/worker/pause', {}],
      ['/api/queues/agent/worker/pause', {}],
      ['/api/dead-letters/redrive', { all: true }],
    ] as const;
    for (const [path, body] of words) {
      problemIn(await http.post(path, body, { token: observer }), 403, 'forbidden');
    }
    expect(http.events).toBe(before);
  });

  it('access/attempt-speaks-for-itself: limits an attempt to its own project, and allows it no decision', async () => {
    expect((await http.get(TASKS, { token: attempt })).status).toBe(200);
    expect((await http.get(`${TASKS}/a`, { token: attempt })).status).toBe(200);
    for (const path of ['/api/tasks', '/api/projects/other/tasks', '/api/agents']) {
      problemIn(await http.get(path, { token: attempt }), 403, 'forbidden');
    }
    const questions = '/api/questions';
    expect((await http.get(`${questions}?project=demo`, { token: attempt })).body).toEqual({ questions: [] });
    for (const query of ['?project=other', '?project=demo&project=other'])
      problemIn(await http.get(`${questions}${query}`, { token: attempt }), 403, 'forbidden');
    problemIn(await http.post('/api/projects/other/tasks', later, { token: attempt }), 403, 'forbidden');
    problemIn(await http.post(`${TASKS}/a/cancel`, {}, { token: attempt }), 403, 'forbidden');
    expect(http.events).toBe(before);
  });

  it('lets only an admin run background commands or fetch their results', async () => {
    for (const [path, body] of [
      ['/api/background', { command: 'true' }],
      ['/api/background/drain', {}],
    ] as const) {
      problemIn(await http.post(path, body), 401, 'unauthorized');
      for (const token of [observer, attempt]) {
        problemIn(await http.post(path, body, { token }), 403, 'forbidden');
      }
    }
    problemIn(await http.get('/api/background', { token: attempt }), 403, 'forbidden');
    expect((await http.post('/api/background/drain', {}, { token: admin })).status).toBe(200);
    expect(http.events).toBe(before);
  });

  it('refuses the same over MCP as over HTTP', async () => {
    const accept = { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' };
    const ask = (name: string, args: object, token?: string, path = '/mcp') => {
      const params = { name, arguments: args };
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
      const headers: Record<string, string> = { ...accept, 'content-type': 'application/json' };
      if (token !== undefined) headers.authorization = `Bearer ${token}`;
      return fetch(http.url + path, { method: 'POST', headers, body });
    };
    for (const token of [undefined, 'sbx_false'])
      expect((await ask('task_list', {}, token)).status).toBe(401);
    const said = async (...asked: Parameters<typeof ask>) => (await ask(...asked)).text();
    // Whose task it is follows from the token; the address has no say in it.
    expect(await said('task_get', {}, attempt, '/mcp?project=other')).toContain('"id":"a"');
    expect(await said('question_list', {}, attempt, '/mcp?project=other')).toContain('"questions":[]');
    const claimed = await said('task_get', { task_id: 'a' }, observer, '/mcp?project=demo');
    expect(claimed).toContain('"id":"a"');
    for (const token of [observer, attempt]) {
      expect(await said('background_run', { command: 'true' }, token)).toContain('forbidden');
    }
    const create = { title: 'x', agent: 'worker' };
    expect(await said('task_create', create, observer, '/mcp?project=demo')).toContain('forbidden');
    expect(http.events).toBe(before);
  });

  it('access/attempt-speaks-for-itself: lets an attempt report, and create tasks in its own project in its own name', async () => {
    taskIn(await http.post(`${TASKS}/a/status`, { status: 'working', detail: 'x' }, { token: attempt }));
    taskIn(await http.post(TASKS, { ...later, id: 'child', parent: 'a' }, { token: attempt }), 201);
    const { events = [] } = taskIn(await http.get(`${TASKS}/child?expand=events`, { token: admin }));
    expect(events[0]?.actor).toBe('agent:worker');
  });

  it('refuses messages of operators as an agent; their comments carry their own name', async () => {
    problemIn(
      await http.post(`${TASKS}/a/status`, { status: 'working' }, { token: admin }),
      403,
      'forbidden',
    );
    const comment = { author: 'ann', body: 'go on' };
    taskIn(await http.post(`${TASKS}/a/comments`, comment, { token: admin }), 201);
  });

  it('what an attempt creates is a child of its task, reviewed at least like it, with no higher priority', async () => {
    const parent = { id: 'p', title: 'x', agent: 'worker', review: 'manual', priority: 4 };
    taskIn(await http.post(TASKS, parent, { token: admin }), 201);
    await http.test.until('p', ({ state }) => state === 'working');
    const token = http.token('p');
    const create = (body: object) => http.post(TASKS, { ...later, ...body }, { token });
    const seen = http.events;
    const refused = [
      { review: 'auto' },
      { agent: undefined, type: 'any', review: 'worker' },
      {
        follow_ups: [
          { title: 'y', agent: 'worker', follow_ups: [{ title: 'z', agent: 'worker', review: 'auto' }] },
        ],
      },
      { parent: 'a' },
    ];
    for (const body of refused) problemIn(await create(body), 403, 'forbidden');
    expect(http.events).toBe(seen);

    const { follow_ups: followUps, ...child } = taskIn(
      await create({ id: 'c', priority: 10, follow_ups: [{ title: 'y', agent: 'worker', priority: 9 }] }),
      201,
    );
    expect(child).toMatchObject({ parent: 'p', priority: 4, review: 'manual' });
    expect(followUps).toMatchObject([{ priority: 4, review: 'manual' }]);
    // The same request again is the same task.
    const again = { id: 'c', priority: 10, follow_ups: [{ title: 'y', agent: 'worker', priority: 9 }] };
    expect(taskIn(await create(again), 200).id).toBe('c');
    expect(taskIn(await create({ parent: 'c', priority: 2 }), 201)).toMatchObject({
      parent: 'c',
      priority: 2,
    });
    const strict = { ...later, id: 'strict', review: 'auto' };
    taskIn(await http.post(TASKS, strict, { token: admin }), 201);
  });

  it('records the holder of the token as the one who speaks, and refuses every other name', async () => {
    const refused = [
      ['comments', { author: 'bob', body: 'x' }, admin],
      ['comments', { author: 'worker', body: 'x' }, admin],
      ['comments', { author: 'ann', body: 'I approve' }, attempt],
      ['outputs', { agent: 'ann', type: 'data', title: 'x', content: 'x' }, attempt],
      ['status', { agent: 'ann', status: 'working' }, attempt],
      ['heartbeat', { agent: 'ann' }, attempt],
      ['approve', { by: 'ann' }, attempt],
      ['attempts/1/kill', { by: 'bob' }, admin],
      ['redact', { by: 'bob', reason: 'x', description: true }, admin],
      ...['approve', 'cancel', 'block', 'retry', 'unblock'].map(
        (verb) => [verb, { by: 'bob' }, admin] as const,
      ),
    ] as const;
    const seen = http.events;
    for (const [verb, body, token] of refused) {
      problemIn(await http.post(`${TASKS}/a/${verb}`, body, { token }), 403, 'forbidden');
    }
    for (const [by, token] of [
      ['bob', admin],
      [undefined, attempt],
    ]) {
      problemIn(await http.patch(`${TASKS}/a`, { by, priority: 1 }, { token }), 403, 'forbidden');
    }
    for (const path of ['/api/agents/worker/pause', '/api/queues/agent/worker/pause']) {
      problemIn(await http.post(path, { by: 'bob' }, { token: admin }), 403, 'forbidden');
    }
    const redrive = { by: 'bob', all: true };
    problemIn(await http.post('/api/dead-letters/redrive', redrive, { token: admin }), 403, 'forbidden');
    problemIn(await http.post('/api/audit/verify', { by: 'bob' }, { token: admin }), 403, 'forbidden');
    expect(http.events).toBe(seen);

    taskIn(await http.post(`${TASKS}/a/comments`, { body: 'mine' }, { token: admin }), 201);
    taskIn(await http.post(`${TASKS}/a/comments`, { body: 'its' }, { token: attempt }), 201);
    taskIn(await http.patch(`${TASKS}/a`, { by: 'ann', priority: 3 }, { token: admin }));
    const { comments = [], events = [] } = taskIn(
      await http.get(`${TASKS}/a?expand=comments,events`, { token: admin }),
    );
    expect(comments.slice(-2)).toMatchObject([
      { author: 'ann', body: 'mine' },
      { author: 'worker', body: 'its' },
    ]);
    expect(events.slice(-3).map(({ actor }) => actor)).toEqual(['user:ann', 'agent:worker', 'user:ann']);
  });

  it('tells each caller its name and its rights', async () => {
    const callerOf = async (token: string) => (await http.get('/api/caller', { token })).body;
    const may = ['read', 'create', 'comment', 'decide', 'operate'];
    expect(await callerOf(admin)).toEqual({ actor: 'user:ann', may });
    expect(await callerOf(observer)).toEqual({ actor: 'user:wall', may: ['read'] });
    problemIn(await http.get('/api/caller'), 401, 'unauthorized');
    await using open = await startHttp({ agents: agents() });
    expect((await open.get('/api/caller')).body).toEqual({ actor: 'user:anonymous', may });
  });

  it('records the holder of a token in the log', async () => {
    taskIn(await http.post(TASKS, { ...later, id: 'named' }, { token: admin }), 201);
    taskIn(await http.post(`${TASKS}/named/cancel`, {}, { token: admin }));
    const { events = [] } = taskIn(await http.get(`${TASKS}/named?expand=events`, { token: admin }));
    expect(events.map(({ actor }) => actor)).toEqual(['user:ann', 'user:ann']);
  });
});

describe('the tokens of people', () => {
  it('are stored as hashes, in a file that only its owner reads, one for each name', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'signalbox-access-'));
    try {
      const files = accessIn(join(directory, 'deep'));
      const file = files.tokens;
      const token = await addToken(files, 'ann', 'admin', 0);
      expect(token).toMatch(/^sbx_[\w-]{43}$/);
      expect(await readFile(file, 'utf8')).not.toContain(token.slice(4));
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      for (const name of ['ann', 'anonymous', 'library'])
        await expect(addToken(files, name, 'observer', 0)).rejects.toMatchObject({ code: 'invalid_request' });
      await expect(removeToken(files, 'bob', 0)).rejects.toMatchObject({ code: 'not_found' });
      expect(await removeToken(files, 'ann', 0)).toBe(0);
      expect(await readTokens(file)).toEqual([]);
      await writeFile(file, '{"tokens": 1}');
      await expect(readTokens(file)).rejects.toMatchObject({ code: 'config_invalid' });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('access/open-on-loopback-only: the first token closes a running server, a revoked one is rejected, a damaged file changes nothing', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'signalbox-access-'));
    const files = accessIn(directory);
    const file = files.tokens;
    let now = 0;
    const people = await People.open(files, silentLogger, () => now);
    const http = await startHttp({ agents: agents() }, { people });
    try {
      expect((await http.get('/api/agents')).status).toBe(200);
      const first = await addToken(files, 'ann', 'admin', 0);
      const second = await addToken(files, 'bob', 'observer', 0);
      now += 1_000;
      problemIn(await http.get('/api/agents'), 401, 'unauthorized');
      expect((await http.get('/api/agents', { token: first })).status).toBe(200);

      await removeToken(files, 'bob', 0);
      now += 1_000;
      problemIn(await http.get('/api/agents', { token: second }), 401, 'unauthorized');

      await writeFile(file, 'damaged');
      now += 1_000;
      expect((await http.get('/api/agents', { token: first })).status).toBe(200);
      problemIn(await http.get('/api/agents'), 401, 'unauthorized');
    } finally {
      await http[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('access/open-on-loopback-only: once there were tokens, their loss opens nothing, also after a restart; an operator opens it by name', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'signalbox-access-'));
    const files = accessIn(directory);
    let now = 0;
    const open = () => People.open(files, silentLogger, () => now);
    const people = await open();
    const http = await startHttp({ agents: agents() }, { people });
    const isRefused = async (): Promise<void> => {
      now += 1_000;
      problemIn(await http.get('/api/agents'), 401, 'unauthorized');
      problemIn(await http.post('/api/background', { command: 'true' }), 401, 'unauthorized');
    };
    try {
      const losses = [
        () => rm(files.tokens),
        () => writeFile(files.tokens, ''),
        () => writeFile(files.tokens, '{"tokens":[]}'),
        async () => void (await removeToken(files, 'ann', 0)),
        async () => void (await Promise.all([rm(files.tokens), rm(files.state)])),
        () => rm(directory, { recursive: true }),
      ];
      for (const lose of losses) {
        await rm(files.tokens, { force: true });
        const ann = await addToken(files, 'ann', 'admin', 0);
        now += 1_000;
        expect((await http.get('/api/agents', { token: ann })).status).toBe(200);
        await lose();
        await isRefused();
        await isRefused();
        expect(people.state).not.toBe('open');
      }
      expect(people.report()).toEqual({ state: 'locked', warning: expect.stringContaining('open-access') });
      await until(() => readAccess(files) === 'closed', 'it is recorded again');
      expect((await open()).state).toBe('locked');
      // A damaged record opens nothing.
      await writeFile(files.state, '{}');
      expect((await open()).state).toBe('locked');
      await isRefused();

      await openAccess(files, 0);
      now += 1_000;
      expect((await http.get('/api/agents')).status).toBe(200);
      expect((await open()).state).toBe('open');
      await addToken(files, 'bob', 'admin', 0);
      await expect(openAccess(files, 0)).rejects.toMatchObject({ code: 'invalid_request' });
      await isRefused();
    } finally {
      await http[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    }
  });

  it.each([{ host: '0.0.0.0' }, { host: '::' }, { host: '127.0.0.1', publicUrl: 'https://box.example' }])(
    'access/open-on-loopback-only: without a token, the server does not start on %j',
    async (where) => {
      await expect(startHttp({ agents: agents() }, where)).rejects.toMatchObject({
        code: 'config_invalid',
        message: expect.stringContaining('signalbox token new'),
      });
    },
  );
});

describe('the limit on requests', () => {
  it('answers 429 with Retry-After only to the client that sends too many requests', async () => {
    await using http = await startHttp({ agents: agents() }, { requestsPerSecond: 1 });
    await http.test.create({ id: 'a', agent: 'worker' });
    await http.test.until('a', ({ state }) => state === 'working');
    const answers = await Promise.all(Array.from({ length: 30 }, () => http.get('/api/agents')));
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    const refused = answers.filter(({ status }) => status === 429);
    const [first] = refused;
    if (!first) throw new Error('no request was refused');
    problemIn(first, 429, 'rate_limited');
    expect(first.headers.get('retry-after')).toBe('1');
    // The agent is another client than the person on the same machine.
    taskIn(await http.post(`${TASKS}/a/status`, { status: 'working' }, { token: http.token('a') }));
  });
});
