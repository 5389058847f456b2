/**
 * Restarts the embedded server if it dies, on the same port, so that clients reconnect by themselves. After `stop` no
 * server runs and none is started, whenever it was called.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ABORTED, describeExit, type LaunchResult, type ReadyServer } from './launch.ts';
import { type ServerExit, terminate } from './server-process.ts';

export type EmbeddedServerState =
  /** A process was started and does not answer yet. */
  | Readonly<{ kind: 'starting' }>
  | Readonly<{ kind: 'ready'; pid: number }>
  /** The server died, or could not be restarted; the next try is in `retryInMs`. */
  | Readonly<{ kind: 'restarting'; reason: string; retryInMs: number }>
  | Readonly<{ kind: 'stopped' }>;

export type SupervisionOptions = Readonly<{
  /** Starts the server again on the same port. Gives up when the signal aborts; never rejects. */
  launch: (signal: AbortSignal) => Promise<LaunchResult>;
  logger: Logger;
  /** Milliseconds between SIGTERM and SIGKILL. */
  stopGraceMs: number;
  /** Called with each state as it is entered. */
  onState?: ((state: EmbeddedServerState) => void) | undefined;
}>;

const BACKOFF = { firstMs: 100, maxMs: 5_000, resetAfterMs: 10_000 };

/** The pauses before successive restarts: each twice as long as the one before. */
export class RestartBackoff {
  #nextMs = BACKOFF.firstMs;

  /** Milliseconds to wait after a run that was up for `uptimeMs` (0 if it never came up). */
  pauseMs(uptimeMs: number): number {
    const { firstMs, maxMs, resetAfterMs } = BACKOFF;
    const pause = uptimeMs >= resetAfterMs ? firstMs : this.#nextMs;
    this.#nextMs = Math.min(maxMs, pause * 2);
    return pause;
  }
}

export class ServerSupervision {
  readonly #options: SupervisionOptions;
  readonly #stopping = new AbortController();
  readonly #backoff = new RestartBackoff();
  readonly #ended: Promise<void>;
  state: EmbeddedServerState;
  /** How often the server was restarted after it had died. */
  restarts = 0;

  /** Takes over `first`: from now on only this object ends it. */
  constructor(first: ReadyServer, options: SupervisionOptions) {
    this.#options = options;
    this.state = { kind: 'ready', pid: first.pid };
    this.#ended = this.#supervise(first);
  }

  /** Shuts the server down and returns when it is gone. May be called more than once, at any time. */
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
      server = await this.#restart(server.pid, end, performance.now() - readyAt);
      this.restarts += server === undefined ? 0 : 1;
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

  /** Tries until the server is ready again. Undefined if `stop` came first; then no server runs. */
  async #restart(pid: number, exit: ServerExit, uptimeMs: number): Promise<ReadyServer | undefined> {
    const { logger } = this.#options;
    const { code, signal, lastLogLines } = exit;
    let reason = describeExit(exit);
    let retryInMs = this.#backoff.pauseMs(uptimeMs);
    logger.error(
      { serverPid: pid, code, signal, lastLogLines, retryInMs },
      'the NATS server died; restarting it',
    );
    for (;;) {
      this.#enter({ kind: 'restarting', reason, retryInMs });
      const result = await this.#launchAfter(retryInMs);
      if (result.kind === 'aborted') return undefined;
      if (result.kind === 'ready') {
        logger.info({ serverPid: result.server.pid, port: result.server.port }, 'the NATS server runs again');
        return result.server;
      }
      reason = result.reason;
      retryInMs = this.#backoff.pauseMs(0);
      logger.error({ reason, retryInMs }, 'could not restart the NATS server; trying again');
    }
  }

  async #launchAfter(pauseMs: number): Promise<LaunchResult> {
    const { signal } = this.#stopping;
    const paused = await sleep(pauseMs, true, { signal }).catch(() => false);
    if (!paused) return ABORTED;
    this.#enter({ kind: 'starting' });
    return this.#options.launch(signal);
  }

  #enter(state: EmbeddedServerState): void {
    this.state = state;
    try {
      this.#options.onState?.(state);
    } catch (error) {
      // A faulty listener must not end the supervision.
      this.#options.logger.error({ err: error }, 'a listener for the state of the NATS server failed');
    }
  }
}
