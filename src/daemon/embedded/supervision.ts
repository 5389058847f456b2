/**
 * Keeps a server that was started running.
 *
 * E4 After a crash the server comes back on the same port, so that clients reconnect to it by themselves.
 * E5 After `stop` no server runs and none is started, at whatever moment it was called.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { unreachable } from '../../contracts/errors.ts';
import { Backoff } from './backoff.ts';
import { describeExit, describeFailure, type LaunchResult, type ReadyServer } from './launch.ts';
import { type ServerExit, terminate } from './server-process.ts';

export type EmbeddedServerState =
  /** A process was started and does not answer yet. */
  | Readonly<{ kind: 'starting' }>
  | Readonly<{ kind: 'ready'; pid: number }>
  /** The server died, or could not be started again; the next try is in `retryInMs`. */
  | Readonly<{ kind: 'restarting'; reason: string; retryInMs: number }>
  | Readonly<{ kind: 'stopped' }>;

export type SupervisionOptions = Readonly<{
  /** Starts the server once more, on the port that it had (E4). Gives up when the signal aborts; never rejects. */
  launch: (signal: AbortSignal) => Promise<LaunchResult>;
  logger: Logger;
  /** Milliseconds between SIGTERM and SIGKILL. */
  stopGraceMs: number;
  /** Told of each state as it is entered. */
  onState?: ((state: EmbeddedServerState) => void) | undefined;
}>;

const BACKOFF = { firstMs: 100, maxMs: 5_000, resetAfterMs: 10_000 } as const;

export class Supervision {
  readonly #options: SupervisionOptions;
  readonly #stopping = new AbortController();
  readonly #backoff = new Backoff(BACKOFF);
  readonly #ended: Promise<void>;
  #state: EmbeddedServerState;
  #restarts = 0;

  /** Takes over `first`: from here on nobody else ends it. */
  constructor(first: ReadyServer, options: SupervisionOptions) {
    this.#options = options;
    this.#state = { kind: 'ready', pid: first.pid };
    this.#ended = this.#supervise(first);
  }

  get state(): EmbeddedServerState {
    return this.#state;
  }

  /** How often the server was brought back after it had died. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Shuts the server down and returns when it is gone. May be called more than once, and at any moment (E5). */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }

  async #supervise(first: ReadyServer): Promise<void> {
    const { signal } = this.#stopping;
    const stopping = new Promise<'stop'>((resolve) => {
      signal.addEventListener('abort', () => resolve('stop'), { once: true });
    });
    for (let server: ReadyServer | undefined = first; server !== undefined; ) {
      this.#enter({ kind: 'ready', pid: server.pid });
      const readyAt = performance.now();
      const end = await Promise.race([server.exited, stopping]);
      if (end === 'stop') {
        await this.#shutDown(server);
        break;
      }
      server = await this.#bringBack(server.pid, end, performance.now() - readyAt);
      this.#restarts += server === undefined ? 0 : 1;
    }
    this.#enter({ kind: 'stopped' });
  }

  async #shutDown(server: ReadyServer): Promise<void> {
    const { logger, stopGraceMs } = this.#options;
    const exit = await terminate(server, stopGraceMs);
    if (exit.signal === 'SIGKILL') {
      logger.warn(
        { serverPid: server.pid, stopGraceMs },
        'the NATS server did not shut down in time and was killed',
      );
    }
  }

  /** Tries until the server is ready again. Undefined when `stop` came first; then no server runs. */
  async #bringBack(pid: number, exit: ServerExit, uptimeMs: number): Promise<ReadyServer | undefined> {
    const { logger } = this.#options;
    const { code, signal, lastLogLines } = exit;
    let reason = describeExit(exit);
    let retryInMs = this.#backoff.pauseMs(uptimeMs);
    logger.error(
      { serverPid: pid, code, signal, lastLogLines, retryInMs },
      'the NATS server died: starting it again',
    );
    for (;;) {
      this.#enter({ kind: 'restarting', reason, retryInMs });
      const result = await this.#launchAfter(retryInMs);
      switch (result.kind) {
        case 'ready':
          logger.info({ serverPid: result.server.pid, port: result.server.port }, 'the NATS server is back');
          return result.server;
        case 'aborted':
          return undefined;
        case 'in_use':
        case 'port_taken':
        case 'failed':
          reason = describeFailure(result);
          retryInMs = this.#backoff.pauseMs(0);
          logger.error({ reason, retryInMs }, 'the NATS server could not be started again');
          break;
        default:
          return unreachable(result, 'launch result');
      }
    }
  }

  async #launchAfter(pauseMs: number): Promise<LaunchResult> {
    const { signal } = this.#stopping;
    const paused = await sleep(pauseMs, true, { signal }).catch(() => false);
    if (!paused) return { kind: 'aborted' };
    this.#enter({ kind: 'starting' });
    return this.#options.launch(signal);
  }

  #enter(state: EmbeddedServerState): void {
    this.#state = state;
    try {
      this.#options.onState?.(state);
    } catch (error) {
      // A listener's mistake must not end the supervision.
      this.#options.logger.error({ err: error }, 'a listener to the state of the NATS server failed');
    }
  }
}
