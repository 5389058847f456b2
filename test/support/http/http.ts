/** A real HTTP server over a test engine, and requests of every kind to it. */
import { type IncomingHttpHeaders, request as rawRequest } from 'node:http';
import { join } from 'node:path';
import { expect } from 'vitest';
import { EventFeed } from '../../../src/app/events/event-feed.ts';
import { answerLinkFor } from '../../../src/app/questions/answer-link.ts';
import { type TaskAnswer, taskAnswerSchema } from '../../../src/contracts/api/answers.ts';
import { type HealthReport, type Problem, problemSchema } from '../../../src/contracts/api/system-answers.ts';
import type { WebhookConfig } from '../../../src/contracts/api/webhooks.ts';
import type { ErrorCode } from '../../../src/contracts/errors.ts';
import { Audit } from '../../../src/features/audit/audit.ts';
import { Background } from '../../../src/features/background/background.ts';
import { Webhooks } from '../../../src/features/webhooks/webhooks.ts';
import { type HttpServer, type HttpServerOptions, startHttpServer } from '../../../src/http/server.ts';
import type { AccessFiles } from '../../../src/operations/access/access-state.ts';
import { type EngineSettings, PROJECT, silentLogger, startEngine, type TestEngine } from '../engine.ts';
import { MemoryLog } from '../memory-journal.ts';

export const TASKS = `/api/projects/${PROJECT}/tasks`;
export const MAX_BODY_BYTES = 1_048_576;

const INTACT: HealthReport['log']['integrity'] = {
  state: 'verified',
  finding: null,
  counted_at: '2026-01-01T00:00:00.000Z',
  verified: 0,
  total: 1,
  passed_at: '2026-01-01T00:00:00.000Z',
};

export const HEALTHY: HealthReport = {
  ready: true,
  reason: null,
  version: 'test',
  pid: process.pid,
  uptime_seconds: 1,
  log: { state: 'open', sequence: 1, backlog: 0, durability: 'memory only', integrity: INTACT },
  nats: {
    url: 'nats://127.0.0.1:4222',
    version: '2.9.10',
    embedded: false,
    pid: null,
    restarts: 0,
    refused_requests: 0,
  },
  access: { state: 'open', warning: null },
  containment: 'search',
  budgets: [],
  unfinished_tasks: 0,
  open_attempts: 0,
};

/** The files of access in a data directory. */
export function accessIn(directory: string): AccessFiles {
  return { tokens: join(directory, 'tokens.json'), state: join(directory, 'access.json') };
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed; null if there is none. */
  readonly body: unknown;
}

export interface Sent {
  readonly body?: unknown;
  /** Bytes or text that is sent as it is, instead of `body`. */
  readonly raw?: string | Uint8Array<ArrayBuffer>;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export class TestHttp implements AsyncDisposable {
  readonly test: TestEngine;
  readonly log: MemoryLog;
  readonly feed: EventFeed;
  readonly webhooks: Webhooks;
  readonly background: Background;
  readonly audit: Audit;
  readonly server: HttpServer;

  constructor(
    test: TestEngine,
    log: MemoryLog,
    feed: EventFeed,
    webhooks: Webhooks,
    background: Background,
    audit: Audit,
    server: HttpServer,
  ) {
    this.test = test;
    this.log = log;
    this.feed = feed;
    this.webhooks = webhooks;
    this.background = background;
    this.audit = audit;
    this.server = server;
  }

  /** Messages in the log. */
  get events(): number {
    return this.log.messages.length;
  }

  get url(): string {
    return this.server.url;
  }

  token(task: string, attempt = 1): string {
    return this.test.app.supervision.tokens.tokenOf({ project: PROJECT, task, attempt });
  }

  get(path: string, sent: Sent = {}): Promise<HttpAnswer> {
    return this.send('GET', path, sent);
  }

  post(path: string, body?: unknown, sent: Sent = {}): Promise<HttpAnswer> {
    return this.send('POST', path, { body, ...sent });
  }

  patch(path: string, body: unknown, sent: Sent = {}): Promise<HttpAnswer> {
    return this.send('PATCH', path, { body, ...sent });
  }

  async send(method: string, path: string, { body, raw, token, headers }: Sent = {}): Promise<HttpAnswer> {
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(this.url + path, {
      method,
      body: payload,
      headers: {
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? null : JSON.parse(text),
    };
  }

  /** Creates a task of the agent `worker`, and waits until it is being worked on. */
  async working(id: string): Promise<TaskAnswer> {
    taskIn(await this.post(TASKS, { id, title: 'a task', agent: 'worker' }), 201);
    await this.test.until(id, ({ state }) => state === 'working');
    return taskIn(await this.get(`${TASKS}/${id}`));
  }

  /** Sends a path and headers that `fetch` would normalize or refuse. */
  sendRaw(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> {
    return new Promise((resolve, reject) => {
      const { port } = this.server;
      const request = rawRequest(
        { host: '127.0.0.1', port, method, path, headers, agent: false },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('end', () => {
            resolve({
              status: answer.statusCode ?? 0,
              headers: answer.headers,
              text: Buffer.concat(chunks).toString(),
            });
          });
        },
      );
      request.on('error', reject);
      request.end();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.webhooks.stop();
    this.background.close();
    await this.audit.close();
    await this.test[Symbol.asyncDispose]();
  }
}

export interface WebhookSettings {
  readonly configs: Readonly<Record<string, WebhookConfig>>;
  readonly env: Readonly<Record<string, string>>;
  /** Shared by several runs of Signalbox; by default a directory of the test engine. */
  readonly directory?: string;
}

/** @param log of an earlier Signalbox, to be continued */
export async function startHttp(
  engine: EngineSettings,
  options: Partial<HttpServerOptions> = {},
  webhookSettings: WebhookSettings = { configs: {}, env: {} },
  log = new MemoryLog(),
): Promise<TestHttp> {
  const test = await startEngine(engine, log);
  // The agents are registered in the log: every later event is caused by the test.
  await test.when(() => (test.engine.backlog === 0 ? true : undefined));
  const feed = new EventFeed(test.app);
  const webhooks = await Webhooks.start({
    app: test.app,
    feed,
    linkOf: (event) => answerLinkFor(test.app, event, 'http://signalbox.test'),
    logger: silentLogger,
    directory: join(test.app.settings.directories.content, 'webhooks'),
    ...webhookSettings,
  });
  const directory = join(test.app.settings.directories.content, 'background');
  const background = await Background.open(test.app, directory);
  const audit = await Audit.open({
    app: test.app,
    dataDirectory: directory,
    logger: silentLogger,
    watch: { eventsPerSecond: 1_000, pauseMs: 300_000 },
  });
  try {
    const server = await startHttpServer({
      app: test.app,
      logger: silentLogger,
      host: '127.0.0.1',
      port: 0,
      maxBodyBytes: MAX_BODY_BYTES,
      feed,
      webhooks,
      background,
      audit,
      version: 'test',
      health: () => HEALTHY,
      ...options,
    });
    return new TestHttp(test, log, feed, webhooks, background, audit, server);
  } catch (error) {
    await webhooks.stop();
    background.close();
    await audit.close();
    await test[Symbol.asyncDispose]();
    throw error;
  }
}

/** The task of an answer; fails if the answer has another status or does not match the schema exactly. */
export function taskIn(answer: HttpAnswer, status = 200): TaskAnswer {
  expect(answer).toMatchObject({ status });
  return taskAnswerSchema.parse(answer.body);
}

/** The problem of an answer; fails if it has another status or code. */
export function problemIn(answer: HttpAnswer, status: number, code: ErrorCode): Problem {
  expect(answer).toMatchObject({ status, body: { status, code, type: `urn:signalbox:error:${code}` } });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  return problemSchema.parse(answer.body);
}

/** A function agent that works until the test opens the gate or its attempt ends. */
export class Gate {
  #open = (): void => {};
  readonly #opened = new Promise<void>((resolve) => {
    this.#open = resolve;
  });

  readonly handler = ({ signal }: { readonly signal: AbortSignal }): Promise<undefined> =>
    new Promise((resolve) => {
      const go = (): void => resolve(undefined);
      signal.addEventListener('abort', go, { once: true });
      void this.#opened.then(go);
    });

  open(): void {
    this.#open();
  }
}
