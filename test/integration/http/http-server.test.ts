import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { EventFeed } from '../../../src/app/events/event-feed.ts';
import { healthReportSchema } from '../../../src/contracts/api/system-answers.ts';
import { startHttpServer } from '../../../src/http/server.ts';
import type { PeopleTokens } from '../../../src/operations/access/access.ts';
import { functionAgent, silentLogger } from '../../support/engine.ts';
import {
  Gate,
  HEALTHY,
  MAX_BODY_BYTES,
  problemIn,
  startHttp,
  TASKS,
  taskIn,
} from '../../support/http/http.ts';

const agents = () => [functionAgent('worker', new Gate().handler)];
const ANN: PeopleTokens = {
  isEmpty: false,
  isOpen: false,
  find: (token) => (token === 'of-ann' ? { name: 'ann', role: 'admin' } : null),
};
const later = { title: 'x', agent: 'worker', delay_seconds: 60 };

async function opened(port: number, text = ''): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

async function received(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

describe('the HTTP server', () => {
  it('refuses a port in use, names it and gives advice', async () => {
    await using http = await startHttp({ agents: agents() });
    const { port } = http.server;
    const second = startHttpServer({
      app: http.test.app,
      logger: silentLogger,
      host: '127.0.0.1',
      port,
      maxBodyBytes: MAX_BODY_BYTES,
      version: 'test',
      feed: new EventFeed(http.test.app),
      health: () => HEALTHY,
    });
    await expect(second).rejects.toMatchObject({
      code: 'address_in_use',
      message: expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:${port} is in use .*--port`)),
    });
  });

  it('refuses an address that this machine does not have', async () => {
    await using http = await startHttp({ agents: agents() });
    const options = {
      app: http.test.app,
      logger: silentLogger,
      maxBodyBytes: 1,
      version: 'test',
      feed: new EventFeed(http.test.app),
      health: () => HEALTHY,
    };
    const elsewhere = startHttpServer({ ...options, host: '192.0.2.1', port: 0 });
    await expect(elsewhere).rejects.toMatchObject({ code: 'config_invalid' });
  });

  it('is alive while it answers, and ready if the report says so', async () => {
    let report = HEALTHY;
    await using http = await startHttp({ agents: [] }, { health: () => report });
    expect(healthReportSchema.parse((await http.get('/health')).body)).toEqual(HEALTHY);
    expect(await http.get('/ready')).toMatchObject({ status: 200, body: { ready: true } });

    report = { ...HEALTHY, ready: false, reason: 'the log is unreachable' };
    expect(await http.get('/health')).toMatchObject({ status: 200, body: { ready: false } });
    expect(await http.get('/ready')).toMatchObject({ status: 503, body: report });
  });

  it('finishes responses in flight before it stops, and refuses new requests', async () => {
    await using http = await startHttp({ agents: agents() });
    http.log.reachable = false;
    const underway = http.post(TASKS, later);
    await vi.waitFor(() => expect(http.test.engine.backlog).toBe(1));
    const closed = http.server.close();
    // It still accepts connections while it waits.
    problemIn(await http.get('/health'), 503, 'shutting_down');
    http.log.reachable = true;
    const answer = await underway;
    taskIn(answer, 201);
    expect(answer.headers.get('connection')).toBe('close');
    await closed;
    await expect(http.get('/health')).rejects.toThrow();
    await http.server.close();
  });

  it('drops idle connections when it stops', async () => {
    await using http = await startHttp({ agents: agents() });
    const keepAlive = new Agent({ keepAlive: true });
    const { port } = http.server;
    await new Promise<void>((resolve) => {
      request({ port, host: '127.0.0.1', path: '/health', agent: keepAlive }, (answer) => {
        answer.resume().on('end', resolve);
      }).end();
    });
    const silent = await opened(port);
    const ended = once(silent, 'close');
    const started = performance.now();
    await http.server.close();
    expect(performance.now() - started).toBeLessThan(1_000);
    await ended;
    keepAlive.destroy();
  });

  it('stops in time though a client does not finish its request', async () => {
    await using http = await startHttp({ agents: agents() }, { answerTimeoutMs: 50 });
    const head = `POST ${TASKS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n`;
    const slow = await opened(http.server.port, `${head}{"a`);
    const ended = once(slow, 'close');
    await http.get('/health');
    await http.server.close();
    await ended;
  });

  it('answers a request that is not HTTP with a problem', async () => {
    await using http = await startHttp({ agents: agents() });
    const text = await received(await opened(http.server.port, 'HELLO SIGNALBOX\r\n\r\n'));
    expect(text).toMatch(/^HTTP\/1\.1 400 .*application\/problem\+json.*"code":"invalid_request"/s);
  });

  it('answers an unexpected error without its text, and logs it in full', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
    const health = () => {
      throw new TypeError('the password is 1234');
    };
    await using http = await startHttp({ agents: agents() }, { health, logger });
    const answer = await http.get('/health');
    const problem = problemIn(answer, 500, 'internal');
    expect(JSON.stringify(answer.body)).not.toContain('1234');
    const [line] = lines.map((each) => JSON.parse(each)).filter(({ level }) => level === 50);
    expect(line.err.stack).toContain('the password is 1234');
    expect(problem.instance).toBe(`urn:signalbox:request:${line.reqId}`);
  });

  it('logs an unexpected error without the secret of an answer link', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
    await using http = await startHttp({ agents: agents() }, { logger });
    await http.working('a');
    vi.spyOn(http.test.app.state.projections.questions.byTask, 'get').mockImplementation(() => {
      throw new TypeError('broken');
    });
    problemIn(await http.get('/api/answer-links/demo.a.q.s3cret'), 500, 'internal');
    await http.server.close();
    expect(lines.join()).toContain('a request failed unexpectedly: broken');
    expect(lines.join()).not.toContain('s3cret');
  });

  it('logs one line for each request, without tokens', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
    await using http = await startHttp({ agents: agents() }, { logger });
    await http.working('a');
    lines.length = 0;
    const token = http.token('a');
    await http.post(`${TASKS}/a/status`, { status: 'working' }, { token });
    await http.post(`${TASKS}/a/status`, { status: 'nonsense' }, { token });
    await http.post(`${TASKS}/a/approve`, {}, { token });
    await http.server.close();
    const requests = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'answered');
    expect(requests.map(({ level, method, status }) => [level, method, status])).toEqual([
      [20, 'POST', 200],
      [20, 'POST', 400],
      [20, 'POST', 403],
    ]);
    expect(lines.join()).not.toContain(token);
  });
});

describe('the check of Host and Origin', () => {
  it('accepts loopback hosts and its public host, and refuses every other name', async () => {
    const publicUrl = 'https://box.example';
    await using http = await startHttp({ agents: agents() }, { publicUrl, people: ANN });
    const { port } = http.server;
    const authorization = 'Bearer of-ann';
    const statusFor = async (host: string) =>
      (await http.sendRaw('GET', '/api/agents', { host, authorization })).status;
    for (const host of ['127.0.0.1', `localhost:${port}`, `[::1]:${port}`, '127.9.9.9', 'a.localhost']) {
      expect([host, await statusFor(host)]).toEqual([host, 200]);
    }
    expect(await statusFor('BOX.example')).toBe(200);
    const foreign = [
      'evil.example',
      'box.example.evil',
      '10.0.0.1',
      '127.0.0.1.evil',
      '127.0.0.1@evil',
      'a b',
    ];
    const before = http.events;
    for (const host of foreign) {
      const { status, text } = await http.sendRaw('POST', TASKS, { host });
      expect([host, status, JSON.parse(text).code]).toEqual([host, 403, 'forbidden']);
    }
    expect(http.events).toBe(before);
  });

  it('refuses pages of another origin, and accepts its own', async () => {
    const publicUrl = 'https://box.example';
    await using http = await startHttp({ agents: agents() }, { publicUrl, people: ANN });
    const { port } = http.server;
    const before = http.events;
    for (const origin of [
      'http://evil.example',
      'null',
      `http://127.0.0.1:${port + 1}`,
      'http://localhost',
    ]) {
      problemIn(await http.post(TASKS, later, { headers: { origin }, token: 'of-ann' }), 403, 'forbidden');
    }
    expect(http.events).toBe(before);
    for (const origin of [`http://127.0.0.1:${port}`, publicUrl]) {
      taskIn(await http.post(TASKS, later, { headers: { origin }, token: 'of-ann' }), 201);
    }
  });
});
