/**
 * An OpenClaw Gateway 2026.9.6 as Signalbox sees it: the frames of its protocol, and all that may go wrong with them. Runs
 * belong to the server's process and end with it; what it has stored (sessions) survives a restart.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { connectProblem } from './connect-params.ts';
import { GatewayRuns, type TestRun } from './gateway-runs.ts';

export interface Request {
  readonly id: string;
  readonly method: string;
  readonly params: Record<string, unknown>;
  readonly traceparent?: string;
}

/** Faults that a test can switch on. */
export interface Trouble {
  /** How many times every answer is sent. */
  copies: number;
  /** Answers are held back until there are this many, and then sent in reverse order. */
  reorder: number;
  /** The connection is cut instead of the first answer to `agent`, before or after the run was accepted. */
  cutAgent: 'before' | 'after' | null;
  /** No tick, and no answer. */
  silent: boolean;
  startingUp: boolean;
  allowsSpawn: boolean;
  /** tasks.list does not show runs. */
  hidesTasks: boolean;
}

const TOKEN = 'gateway-secret';

export class GatewayServer implements AsyncDisposable {
  readonly token = TOKEN;
  readonly requests: Request[] = [];
  readonly trouble: Trouble = {
    copies: 1,
    reorder: 1,
    cutAgent: null,
    silent: false,
    startingUp: false,
    allowsSpawn: false,
    hidesTasks: false,
  };
  readonly tickIntervalMs: number;
  /** Connections so far. */
  welcomes = 0;
  runs = new GatewayRuns();
  #server: WebSocketServer | undefined;
  #port = 0;
  #held: (() => void)[] = [];
  #ticks: NodeJS.Timeout | undefined;

  private constructor(tickIntervalMs: number) {
    this.tickIntervalMs = tickIntervalMs;
  }

  static async start(tickIntervalMs = 30_000): Promise<GatewayServer> {
    const server = new GatewayServer(tickIntervalMs);
    await server.up();
    return server;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}`;
  }

  get connections(): number {
    return this.#server?.clients.size ?? 0;
  }

  countOf(method: string): number {
    return this.requests.filter((request) => request.method === method).length;
  }

  async up(): Promise<void> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: this.#port, perMessageDeflate: false });
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => this.#welcome(socket));
    this.#ticks = setInterval(() => this.#broadcast('tick', { ts: Date.now() }), this.tickIntervalMs / 2);
  }

  /** Its process ends: runs end with it, and only what it has stored stays. */
  async down(): Promise<void> {
    clearInterval(this.#ticks);
    this.#broadcast('shutdown', { reason: 'restart' });
    for (const socket of this.#server?.clients ?? []) socket.close(1012, 'service restart');
    this.#held = [];
    this.runs = this.runs.afterRestart();
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    for (const socket of server.clients) socket.terminate();
    server.close();
    await once(server, 'close');
  }

  /** Cuts the network: runs go on. */
  cut(): void {
    for (const socket of this.#server?.clients ?? []) socket.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }

  /** An event to every connection. */
  say(run: TestRun, data: object): void {
    this.#broadcast('agent', { runId: run.id, seq: 1, stream: 'assistant', ts: Date.now(), data });
  }

  #broadcast(event: string, payload: object): void {
    if (this.trouble.silent) return;
    for (const socket of this.#server?.clients ?? [])
      socket.send(JSON.stringify({ type: 'event', event, payload, seq: 1 }));
  }

  #welcome(socket: WebSocket): void {
    let isIn = false;
    this.welcomes++;
    socket.on('error', () => {});
    socket.send(
      JSON.stringify({ type: 'event', event: 'connect.challenge', payload: { nonce: 'n', ts: Date.now() } }),
    );
    socket.on('message', (data: RawData) => {
      const request = JSON.parse(String(data)) as Request & { type: string };
      if (request.method === 'connect') isIn = this.#connect(socket, request);
      else if (!isIn || request.type !== 'req') socket.close(1008, 'connect first');
      else this.#hear(socket, request);
    });
  }

  #connect(socket: WebSocket, { id, params }: Request): boolean {
    const problem = this.trouble.startingUp
      ? { code: 'UNAVAILABLE', message: 'starting', details: { reason: 'startup-sidecars' }, close: 1013 }
      : connectProblem(params, TOKEN);
    if (problem) {
      const { close, ...error } = problem;
      socket.send(JSON.stringify({ type: 'res', id, ok: false, error }));
      socket.close(close, error.message);
      return false;
    }
    const payload = {
      type: 'hello-ok',
      protocol: 4,
      server: { version: '2026.9.6' },
      features: { methods: ['agent', 'agent.wait', 'chat.abort'], events: ['agent', 'tick'] },
      auth: { scopes: ['operator.read', 'operator.write'] },
      policy: { maxPayload: 26_214_400, tickIntervalMs: this.tickIntervalMs },
    };
    socket.send(JSON.stringify({ type: 'res', id, ok: true, payload }));
    return true;
  }

  #hear(socket: WebSocket, request: Request): void {
    this.requests.push(request);
    const answer = (frame: object): void => this.#answer(socket, { type: 'res', id: request.id, ...frame });
    if (request.method === 'agent' && this.trouble.cutAgent !== null) {
      const when = this.trouble.cutAgent;
      this.trouble.cutAgent = null;
      if (when === 'after') this.runs.agent(request.params, () => {});
      return socket.terminate();
    }
    switch (request.method) {
      case 'agent':
        return this.runs.agent(request.params, answer);
      case 'agent.wait':
        return this.runs.wait(request.params, answer);
      case 'chat.abort':
        return answer({ ok: true, payload: this.runs.abort(request.params) });
      case 'tasks.list':
        return answer({
          ok: true,
          payload: { tasks: this.trouble.hidesTasks ? [] : this.runs.tasks(request.params) },
        });
      case 'chat.history':
        return answer({ ok: true, payload: { messages: this.runs.history(request.params) } });
      case 'tools.invoke':
        return answer({
          ok: true,
          payload: this.trouble.allowsSpawn ? this.runs.spawn(request.params) : NOT_ALLOWED,
        });
      default:
        return answer({
          ok: false,
          error: { code: 'INVALID_REQUEST', message: `unknown method ${request.method}` },
        });
    }
  }

  #answer(socket: WebSocket, frame: object): void {
    if (this.trouble.silent) return;
    this.#held.push(() => {
      for (let copy = 0; copy < this.trouble.copies; copy++) socket.send(JSON.stringify(frame));
    });
    if (this.#held.length < this.trouble.reorder) return;
    const held = this.#held.toReversed();
    this.#held = [];
    for (const send of held) send();
  }
}

const NOT_ALLOWED = {
  ok: false,
  error: { code: 'not_found', message: 'Tool not available: sessions_spawn' },
};
