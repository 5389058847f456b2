import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { SignalboxClient } from '../../../src/client/client.ts';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly body: string;
}

type Answering = (response: ServerResponse, request: IncomingMessage) => void;

/** A server that gives the answers of a script, one after another, and the last of them for ever. */
class Script implements AsyncDisposable {
  readonly seen: Seen[] = [];
  readonly waits: number[] = [];
  readonly #server = createServer();

  static async of(...answers: readonly [Answering, ...Answering[]]): Promise<Script> {
    const script = new Script();
    script.#server.on('request', async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const answer = answers[Math.min(script.seen.length, answers.length - 1)];
      script.seen.push({ method: request.method, url: request.url, body });
      answer?.(response, request);
    });
    script.#server.listen(0, '127.0.0.1');
    await once(script.#server, 'listening');
    return script;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** Its sleeps take no time; they are noted in `waits`. */
  client(timeoutMs = 10_000): SignalboxClient {
    const sleep = async (ms: number): Promise<void> => {
      this.waits.push(ms);
    };
    return new SignalboxClient({ url: this.url, timeoutMs, retry: { random: () => 1, sleep } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

const ok =
  (body: unknown, status = 200): Answering =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

const problem =
  (status: number, code: string, more: object = {}, headers: Record<string, string> = {}): Answering =>
  (response) =>
    response
      .writeHead(status, { 'content-type': 'application/problem+json', ...headers })
      .end(JSON.stringify({ type: 'x', title: 'x', status, code, detail: `it is ${code}`, ...more }));

const cut: Answering = (_, request) => request.socket.destroy();
const task = { project: 'demo', id: 'a' };
const busy = problem(503, 'overloaded', {}, { 'retry-after': '2' });

describe('the client', () => {
  it('sends the method, path, query and body of each operation', async () => {
    await using script = await Script.of(ok(task));
    const client = script.client();
    await client.readTask({ project: 'demo', task: 'a' });
    await client.readTask({ project: 'demo', task: 'a', expand: ['outputs', 'attempts'] });
    await client.listAllTasks();
    await client.listTasks({ project: 'demo', status: ['done', 'failed'], agent: 'x', limit: 5, after: 9 });
    await client.rejectTask({ project: 'demo', task: 'a', comment: 'no' });
    await client.addComment({ project: 'demo', task: 'a', author: 'ann', body: 'hm' });
    await client.readHealth();
    expect(script.seen.map(({ method, url, body }) => `${method} ${url} ${body}`.trim())).toEqual([
      'GET /api/projects/demo/tasks/a',
      'GET /api/projects/demo/tasks/a?expand=outputs%2Cattempts',
      'GET /api/tasks',
      'GET /api/projects/demo/tasks?status=done%2Cfailed&agent=x&limit=5&after=9',
      'POST /api/projects/demo/tasks/a/reject {"comment":"no"}',
      'POST /api/projects/demo/tasks/a/comments {"author":"ann","body":"hm"}',
      'GET /health',
    ]);
  });

  it('throws the error of the answer, with code, details and field errors', async () => {
    const errors = [{ path: 'title', message: 'is missing' }];
    await using script = await Script.of(
      problem(409, 'illegal_transition', { details: { status: 'done' } }),
      problem(400, 'invalid_request', { errors }),
      problem(409, 'of_the_future', { details: { a: 1 } }),
    );
    const approve = () => script.client().approveTask({ project: 'demo', task: 'a' });
    await expect(approve()).rejects.toMatchObject({
      name: 'SignalboxError',
      code: 'illegal_transition',
      message: 'it is illegal_transition',
      details: { status: 'done' },
    });
    await expect(approve()).rejects.toMatchObject({ code: 'invalid_request', details: { errors } });
    await expect(approve()).rejects.toMatchObject({
      code: 'internal',
      details: { code: 'of_the_future', a: 1 },
    });
  });

  it('repeats reads while the server is busy or cuts the connection, and waits as long as the server asks', async () => {
    await using script = await Script.of(busy, cut, ok(task));
    expect(await script.client().readTask({ project: 'demo', task: 'a' })).toEqual(task);
    expect(script.waits).toEqual([2_100, 200]);
  });

  it('repeats a creation with an id or a key, and returns the status that says whether it existed', async () => {
    await using script = await Script.of(cut, ok(task, 201), busy, ok(task, 200));
    const client = script.client();
    const create = (key: object) =>
      client.request('createTask', { project: 'demo', title: 'x', agent: 'y', ...key });
    expect(await create({ id: 'a' })).toMatchObject({ status: 201, body: task });
    expect(await create({ idempotency_key: 'k' })).toMatchObject({ status: 200, body: task });
    expect(script.seen).toHaveLength(4);
  });

  it('does not repeat a request that could take effect twice', async () => {
    await using script = await Script.of(busy);
    const client = script.client();
    const overloaded = { code: 'overloaded' };
    await expect(client.createTask({ project: 'demo', title: 'x', agent: 'y' })).rejects.toMatchObject(
      overloaded,
    );
    await expect(client.cancelTask({ project: 'demo', task: 'a' })).rejects.toMatchObject(overloaded);
    await expect(
      client.addComment({ project: 'demo', task: 'a', author: 'b', body: 'c' }),
    ).rejects.toMatchObject(overloaded);
    await expect(client.reportHeartbeat({ project: 'demo', task: 'a', detail: 'x' })).rejects.toMatchObject(
      overloaded,
    );
    await expect(client.redriveDeadLetters({ all: true })).rejects.toMatchObject(overloaded);
    expect(script.seen).toHaveLength(5);
  });

  it('repeats a heartbeat without a detail', async () => {
    await using script = await Script.of(cut, ok(task));
    expect(await script.client().reportHeartbeat({ project: 'demo', task: 'a' })).toEqual(task);
  });

  it('repeats no request that was finally refused, and none more often than the limit', async () => {
    await using refusing = await Script.of(problem(404, 'task_not_found'));
    await expect(refusing.client().readTask({ project: 'demo', task: 'a' })).rejects.toMatchObject({
      code: 'task_not_found',
    });
    expect(refusing.seen).toHaveLength(1);

    await using script = await Script.of(busy);
    await expect(script.client().listAgents()).rejects.toMatchObject({ code: 'overloaded' });
    expect(script.seen).toHaveLength(5);
  });

  it('names the address and how to start Signalbox if nothing answers', async () => {
    const script = await Script.of(ok({}));
    const client = script.client();
    await script[Symbol.asyncDispose]();
    await expect(client.readHealth()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(
        /127\.0\.0\.1:\d+ \(connection refused\).*signalbox up.*--url or SIGNALBOX_URL/,
      ),
    });
    expect(script.waits).toHaveLength(4);
  });

  it('reports that another program answers', async () => {
    await using script = await Script.of((response) => response.end('<html>hello</html>'));
    await expect(script.client().readHealth()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('is not Signalbox'),
    });
    expect(script.seen).toHaveLength(1);
  });

  it('does not wait longer than its limit for an answer', async () => {
    await using script = await Script.of(() => {});
    await expect(script.client(50).approveTask({ project: 'demo', task: 'a' })).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('no answer within 0.05 seconds'),
    });
  });

  it('rejects an invalid id or address before it sends anything', async () => {
    await using script = await Script.of(ok(task));
    const client = script.client();
    await expect(client.readTask({ project: 'demo', task: '..' })).rejects.toMatchObject({
      code: 'invalid_id',
    });
    await expect(client.createTask({ project: 'a/b', title: 'x' })).rejects.toMatchObject({
      code: 'invalid_id',
    });
    expect(script.seen).toEqual([]);
    for (const url of ['127.0.0.1:8083', 'ftp://x', '']) {
      expect(() => new SignalboxClient({ url })).toThrow(
        expect.objectContaining({ code: 'invalid_request' }),
      );
    }
  });
});
