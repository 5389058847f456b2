/** What two programs could read differently is refused: headers and keys sent twice, texts and numbers that would be changed. */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mcpOverHttp } from '../../../src/client/mcp/http.ts';
import { functionAgent } from '../../support/engine.ts';
import { Gate, problemIn, startHttp, TASKS, type TestHttp, taskIn } from '../../support/http/http.ts';

const SURROGATE = String.raw`\ud800`;

describe('operations/refused-leaves-no-trace: input that would not be kept as it was sent', () => {
  let http: TestHttp;
  let token: string;
  let before: number;

  beforeAll(async () => {
    http = await startHttp(
      { agents: [functionAgent('worker', new Gate().handler)] },
      { mcp: mcpOverHttp(() => http.url) },
    );
    await http.working('a');
    token = http.token('a');
    before = http.events;
  });
  afterAll(async () => {
    await http[Symbol.asyncDispose]();
  });

  const recordsNothing = () => expect(http.events).toBe(before);

  /** The status line and the body that a request with these header lines gets. */
  async function sendLines(first: string, lines: readonly string[], body: string) {
    const socket = connect(http.server.port, '127.0.0.1');
    const own = [
      ...(lines.some((line) => /^host:/i.test(line)) ? [] : [`host: 127.0.0.1:${http.server.port}`]),
      ...(lines.some((line) => /^content-length:/i.test(line)) ? [] : [`content-length: ${body.length}`]),
    ];
    socket.write(
      `${first} HTTP/1.1\r\n${[...own, ...lines, 'connection: close'].join('\r\n')}\r\n\r\n${body}`,
    );
    const answer = await text(socket);
    return { status: Number(answer.split(' ', 2)[1]), answer };
  }

  const host = () => `host: 127.0.0.1:${http.server.port}`;
  const HEADERS: ReadonlyArray<[name: string, lines: () => readonly string[]]> = [
    ['authorization', () => [`authorization: Bearer ${token}`, `authorization: Bearer ${token}`]],
    ['authorization', () => ['Authorization: Bearer x', `AUTHORIZATION: Bearer ${token}`]],
    ['host', () => [host(), host()]],
    ['content-length', () => ['content-length: 2', 'content-length: 2']],
    ['content-length', () => ['content-length: 2', 'content-length: 40']],
    ['content-length', () => ['content-length: 2', 'transfer-encoding: chunked']],
    ['transfer-encoding', () => ['transfer-encoding: chunked', 'transfer-encoding: chunked']],
    ['content-type', () => ['content-type: application/json', 'content-type: text/plain']],
    ['content-encoding', () => ['content-encoding: identity', 'content-encoding: gzip']],
    ['idempotency-key', () => ['idempotency-key: a', 'idempotency-key: b']],
    ['origin', () => [`origin: ${http.url}`, 'origin: http://evil.example']],
    ['last-event-id', () => ['last-event-id: 1', 'last-event-id: 2']],
    ['mcp-protocol-version', () => ['mcp-protocol-version: 1', 'mcp-protocol-version: 2']],
  ];
  it.each(HEADERS)('refuses the header %s twice, at every path', async (_name, lines) => {
    for (const path of [`POST ${TASKS}`, 'POST /mcp', `POST ${TASKS}/a/status`, 'GET /health', 'GET /ui/']) {
      const { status, answer } = await sendLines(path, lines(), '{}');
      expect([path, status]).toEqual([path, 400]);
      expect(answer).toContain('"code":"invalid_request"');
      expect(answer).not.toContain(token);
    }
    recordsNothing();
  });

  it('refuses a second header also after a thousand others', async () => {
    const others = Array.from({ length: 1_500 }, () => 'a: b');
    const auth = `authorization: Bearer ${token}`;
    expect((await sendLines('GET /health', [auth, ...others], '')).status).toBe(200);
    const { status, answer } = await sendLines('GET /health', [auth, ...others, auth], '');
    expect([status, answer]).toEqual([400, expect.stringContaining('authorization twice')]);
  });

  it('accepts lists that are sent as several headers', async () => {
    const lines = [
      'accept: text/html',
      'accept: */*',
      'if-none-match: "a"',
      'if-none-match: "b"',
      'x-a: 1',
      'x-a: 1',
    ];
    expect((await sendLines('GET /health', lines, '')).status).toBe(200);
  });

  const BODIES: ReadonlyArray<[body: string, path: string, reason: RegExp]> = [
    ['{"title":"x","agent":"worker","title":"y"}', 'title', /the key is there twice/],
    [String.raw`{"title":"x","agent":"worker","\u0074itle":"x"}`, 'title', /the key is there twice/],
    ['{"title":"x","agent":"worker","params":{"a":[{"b":1,"b":1}]}}', 'params.a[0].b', /twice/],
    ['{"title":"x","agent":"worker","labels":{"a":"1","a":"2"}}', 'labels.a', /twice/],
    ['{"title":"x","agent":"worker","__proto__":{}}', '__proto__', /not allowed/],
    [
      String.raw`{"title":"x","agent":"worker","params":{"\u005f_proto__":{}}}`,
      'params.__proto__',
      /not allowed/,
    ],
    [`{"title":"x${SURROGATE}","agent":"worker"}`, 'title', /surrogate pair/],
    [`{"title":"x","agent":"worker","params":{"a":["${SURROGATE}"]}}`, 'params.a[0]', /surrogate pair/],
    [`{"title":"x","agent":"worker","labels":{"${SURROGATE}":"1"}}`, 'labels.\ufffd', /surrogate pair/],
    ['{"title":"x","agent":"worker","params":{"n":9007199254740993}}', 'params.n', /kept exactly/],
  ];
  it.each(BODIES)('refuses the body %s, over HTTP and MCP', async (raw, path, reason) => {
    const problem = problemIn(await http.send('POST', TASKS, { raw }), 400, 'invalid_request');
    expect(problem.errors).toMatchObject([{ path, message: expect.stringMatching(reason) }]);
    const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"task_create","arguments":${raw}}}`;
    const answer = await http.send('POST', '/mcp', { raw: call, headers: { accept: '*/*' } });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ jsonrpc: '2.0', error: { message: expect.stringMatching(reason) } });
    recordsNothing();
  });

  it('accepts equal keys in different objects, whole characters, and the key "constructor"', async () => {
    const raw = String.raw`{"title":"\ud83d\ude00","agent":"worker","delay_seconds":60,"params":{"title":{"title":1},"constructor":{"prototype":1}}}`;
    const task = taskIn(await http.send('POST', TASKS, { raw }), 201);
    expect(task).toMatchObject({
      title: '😀',
      params: { title: { title: 1 }, constructor: { prototype: 1 } },
    });
    before = http.events;
  });

  const NUMBERS = [
    '0x10',
    '1e1',
    '%205',
    '5%20',
    '%2B5',
    '+5',
    '5.0',
    '-1',
    '',
    '0b1',
    '1_0',
    '٥',
    '9007199254740993',
    'Infinity',
  ];
  const QUERIES = [
    `${TASKS}?limit=`,
    `${TASKS}?after=`,
    '/api/tasks?limit=',
    `${TASKS}/a?wait=`,
    '/tasks/a?wait=',
    `${TASKS}/a/attempts/1/log?offset=`,
    '/api/dead-letters?limit=',
    '/api/events?after=',
    '/api/projects/demo/events?after=',
    '/api/rejected-messages?limit=',
    '/api/throughput?minutes=',
    '/api/usage?limit=',
    '/api/state?limit=',
    `${TASKS}/a/diff?output=`,
    `${TASKS}/a/diff?attempt=`,
  ];
  it.each(QUERIES)('reads a number in %s only if it is written in digits, and given once', async (path) => {
    const name = /(\w+)=$/.exec(path)?.[1] ?? '';
    for (const number of NUMBERS) {
      const problem = problemIn(await http.get(path + number), 400, 'invalid_request');
      expect([number, problem.errors?.[0]?.path]).toEqual([number, name]);
      expect(problem.detail).toMatch(/expected a whole number .*, in digits$/);
    }
    const twice = problemIn(await http.get(`${path}5&${name}=5`), 400, 'invalid_request');
    expect(twice.detail).toBe(`query: ${name}: is given twice: send it once`);
    recordsNothing();
  });

  it('refuses a parameter that is given twice, and one that is not UTF-8', async () => {
    for (const path of [`${TASKS}?agent=a&agent=b`, `${TASKS}?q=a&q=a`, '/api/events?type=a&type=b']) {
      expect(problemIn(await http.get(path), 400, 'invalid_request').detail).toContain('is given twice');
    }
    for (const query of ['q=%ff', 'q=%', 'q=%ed%a0%80', 'q=%zz']) {
      expect(problemIn(await http.get(`${TASKS}?${query}`), 400, 'invalid_request').detail).toMatch(
        /^query: /,
      );
    }
    const raw = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
    const mcp = await http.send('POST', '/mcp?project=a&project=b', { raw, headers: { accept: '*/*' } });
    problemIn(mcp, 400, 'invalid_request');
    recordsNothing();
  });

  it('refuses a range of time that ends before it begins', async () => {
    const range = (from: string, to: string) => http.get(`/api/usage?from=${from}&to=${to}`);
    for (const [from, to] of [
      ['2026-02-02', '2026-01-31'],
      ['2026-01-31T12:00:00Z', '2026-01-30'],
      ['1h%20ago', '2h%20ago'],
    ] as const) {
      expect(problemIn(await range(from, to), 400, 'invalid_request').detail).toMatch(
        /^to: .* is before "from"/,
      );
    }
    expect((await range('2026-01-31', '2026-01-31')).status).toBe(200);
    recordsNothing();
  });

  it('refuses the last event of a client that is not a plain number', async () => {
    for (const id of ['0x1', '1e1', '+1', '1, 2', '-1']) {
      const answer = await http.get('/api/events', { headers: { 'last-event-id': id } });
      expect(problemIn(answer, 400, 'invalid_request').detail).toMatch(/^Last-Event-ID: /);
    }
    recordsNothing();
  });

  it('answers 401 to a token that is not valid, whatever it is for, also while no token is needed', async () => {
    const requests = [
      ['GET', TASKS],
      ['GET', `${TASKS}/a`],
      ['GET', '/api/caller'],
      ['GET', '/api/events'],
      ['POST', TASKS],
      ['POST', '/mcp'],
      ...[
        'status',
        'comments',
        'outputs',
        'approve',
        'steer',
        'steer/take',
        'questions',
        'questions/q/answer',
      ].map((verb) => ['POST', `${TASKS}/a/${verb}`] as const),
    ] as const;
    for (const [method, path] of requests) {
      const sent = { token: 'sbx_false', ...(method === 'POST' && { raw: '{}' }) };
      const answer = await http.send(method, path, sent);
      expect([path, answer.status]).toEqual([path, 401]);
      problemIn(answer, 401, 'unauthorized');
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
    expect((await http.get(TASKS)).status).toBe(200);
    recordsNothing();
  });
});

it('halves of surrogate pairs in what an agent returns are replaced, in the log as in every answer', async () => {
  const handlers = [
    () => ({ title: 'half \ud800', content: 'a\ud83d\ude00\udc00', summary: '\ud83d' }),
    () => Promise.reject(new Error('it failed \udfff')),
  ];
  await using http = await startHttp({
    agents: handlers.map((handler, index) => functionAgent(`a${index}`, handler)),
  });
  for (const agent of ['a0', 'a1']) {
    await http.post(TASKS, { id: agent, title: 'x', agent, review: 'auto', max_attempts: 1 });
    await http.test.until(agent, ({ state }) => state === 'done' || state === 'failed');
  }
  const { outputs = [] } = taskIn(await http.get(`${TASKS}/a0?expand=outputs`));
  expect(outputs).toMatchObject([{ title: 'half \ufffd', content: 'a😀\ufffd', summary: '\ufffd' }]);
  const { events = [], attempts = [] } = taskIn(await http.get(`${TASKS}/a1?expand=events,attempts`));
  expect(attempts).toMatchObject([{ error: 'it failed \ufffd' }]);
  expect(JSON.stringify([events, outputs])).not.toMatch(/\\ud[89a-f]/);
  for (const { bytes } of http.log.messages) expect(Buffer.from(bytes).toString()).not.toContain('\\ud');
});
