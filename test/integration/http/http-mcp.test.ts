/** MCP over HTTP as clients send it: media types, versions, broken bodies, and the size of real answers of every tool. */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mcpOverHttp } from '../../../src/client/mcp/http.ts';
import { functionAgent } from '../../support/engine.ts';
import { Gate, problemIn, startHttp, TASKS, type TestHttp, taskIn } from '../../support/http/http.ts';

const MAX_TOKENS = 20_000;
const JSON_TYPE = { 'content-type': 'application/json' };

describe('requests and answers of clients', () => {
  let http: TestHttp;
  let token: string;
  beforeAll(async () => {
    http = await startHttp(
      { agents: [functionAgent('worker', new Gate().handler, { concurrency: 2 })] },
      { mcp: mcpOverHttp(() => http.url) },
    );
    await http.working('a');
    token = http.token('a');
  });
  afterAll(async () => http[Symbol.asyncDispose]());

  const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    fetch(`${http.url}/mcp?project=demo`, { method: 'POST', body, headers: { ...JSON_TYPE, ...headers } });
  const rpc = (method: string, params: object) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });

  /** The result of a tool, and its tokens: four bytes each, text and structured content. */
  async function call(name: string, args: object = {}) {
    const response = await post(rpc('tools/call', { name, arguments: args }), {
      authorization: `Bearer ${token}`,
    });
    const sent = (await response.text()).replace(/^event: .*\n/m, '').replace(/^data: /m, '');
    const { result } = JSON.parse(sent.trim()) as {
      result: { content: { text: string }[]; isError?: boolean };
    };
    const value = JSON.parse(result.content[0]?.text ?? '') as Record<string, unknown>;
    return { value, isError: result.isError === true, tokens: Buffer.byteLength(JSON.stringify(result)) / 4 };
  }

  it('accepts any media type, and negotiates the version in the body', async () => {
    const params = {
      protocolVersion: '2099-01-01',
      capabilities: {},
      clientInfo: { name: 'x', version: '1' },
    };
    for (const accept of ['*/*', 'application/*, text/event-stream', 'application/json, text/event-stream']) {
      const headers = { accept, 'mcp-protocol-version': '2099-01-01' };
      const answer = await post(rpc('initialize', params), headers);
      expect(answer.status).toBe(200);
      const sent = await answer.text();
      expect(sent).toContain('"protocolVersion":"2025-11-25"');
      expect(sent).not.toContain('"listChanged":true');
    }
  });

  it('answers a body that it cannot read as JSON-RPC, and one with an encoding with 415', async () => {
    const broken = await post('{"jsonrpc":');
    expect(broken.status).toBe(400);
    expect(await broken.json()).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32_700 } });
    const zipped = await post(gzipSync(rpc('ping', {})), { 'content-encoding': 'gzip' });
    expect(zipped.status).toBe(415);
    expect(await zipped.text()).toContain('gzip');
  });

  it('refuses numbers that it could not keep, and wrong arguments, with a code', async () => {
    const big = '{"title":"x","agent":"worker","params":{"n":9007199254740993}}';
    const answer = await http.send('POST', TASKS, { raw: big });
    expect(problemIn(answer, 400, 'invalid_request').detail).toContain(
      'params.n: the number 9007199254740993',
    );
    const wrong = await call('task_get', { task_id: 7, nonsense: true });
    expect(wrong).toMatchObject({ isError: true, value: { code: 'invalid_request' } });
    expect(wrong.value.message).toContain('task_id');
  });

  it('keeps real answers of every tool below 20,000 tokens, and reads on', { timeout: 30_000 }, async () => {
    const content = `"${'猫 and "dog"\n'.repeat(25_000)}`;
    for (let number = 1; number <= 4; number++) {
      const output = { type: 'document', title: `Output ${number}`, content };
      taskIn(await http.post(`${TASKS}/a/outputs`, output, { token }), 201);
    }
    for (let number = 1; number <= 8; number++) {
      taskIn(await http.post(`${TASKS}/a/comments`, { body: content.slice(0, 90_000) }, { token }), 201);
    }
    const large = { title: 't'.repeat(500), agent: 'worker', description: content, params: { content } };
    const calls: [string, object?][] = [
      ['task_create', large],
      ['task_list', { limit: 100 }],
      ['task_claim'],
      ['task_status', { status: 'working', detail: content.slice(0, 19_000) }],
      ['task_output', { type: 'data', title: 'x', content }],
      ['task_comment', { body: content.slice(0, 90_000) }],
      ['task_get'],
      ['background_run', { command: 'true' }],
      ['check_background'],
      ['drain_notifications'],
    ];
    for (let n = 0; n < 99; n++) await http.test.create({ title: 't'.repeat(500), agent: 'worker' });
    for (const [name, args] of calls) {
      const { tokens } = await call(name, args);
      expect({ name, isSmall: tokens < MAX_TOKENS }).toEqual({ name, isSmall: true });
    }
    const whole = await call('task_get');
    expect(whole.value.truncated).toContainEqual(
      expect.objectContaining({ path: 'outputs[0].content', size: content.length }),
    );
    let read = '';
    for (let offset: unknown = 0; typeof offset === 'number'; ) {
      const { value, tokens } = await call('task_get', { path: 'outputs[0].content', offset });
      expect(tokens).toBeLessThan(MAX_TOKENS);
      read += String(value.part);
      offset = value.next_offset;
    }
    expect(read).toBe(content);
    const asked = await call('task_get', { path: 'outputs[0].content', max_tokens: 250_000 });
    expect(asked.value.next_offset).toBeNull();
  });

  it('finds both normal forms of a text: in search, labels and idempotency keys', async () => {
    const [composed, decomposed] = ['Café é', 'Café é'].map((each, index) =>
      each.normalize(index === 0 ? 'NFC' : 'NFD'),
    );
    const task = {
      title: decomposed,
      agent: 'worker',
      delay_seconds: 60,
      labels: { [`${decomposed}`]: `${decomposed}` },
    };
    const { id } = taskIn(await http.post(TASKS, { ...task, idempotency_key: decomposed }), 201);
    expect(
      taskIn(await http.post(TASKS, { ...task, title: composed, idempotency_key: composed }), 200).id,
    ).toBe(id);
    const header = { 'idempotency-key': Buffer.from(`${composed}`).toString('latin1') };
    expect(taskIn(await http.post(TASKS, task, { headers: header }), 200).id).toBe(id);
    for (const query of [
      `q=${encodeURIComponent(`${composed}`)}`,
      `label=${encodeURIComponent(`${composed}=${composed}`)}`,
    ]) {
      expect((await http.get(`${TASKS}?${query}`)).body).toMatchObject({ tasks: [{ id }] });
    }
  });

  it('accepts localhost. and refuses two Host headers, a foreign absolute target and huge headers', async () => {
    const { port } = http.server;
    const status = async (head: string): Promise<string> => {
      const socket = connect(port, '127.0.0.1');
      socket.write(`${head}connection: close\r\n\r\n`);
      return (await text(socket)).split('\r\n', 1)[0] ?? '';
    };
    const host = `host: 127.0.0.1:${port}\r\n`;
    expect(await status(`GET /health HTTP/1.1\r\nhost: localhost.:${port}\r\n`)).toContain(' 200 ');
    expect(await status(`GET /health HTTP/1.1\r\n${host}${host}`)).toContain(' 400 ');
    expect(await status(`GET /health HTTP/1.1\r\n${host}Host: evil.example\r\n`)).toContain(' 400 ');
    expect(await status(`GET http://evil.example/health HTTP/1.1\r\n${host}`)).toContain(' 403 ');
    expect(await status(`GET /health HTTP/1.1\r\n${host}x: ${'y'.repeat(20_000)}\r\n`)).toContain(' 431 ');
  });
});
