/** The connection that all runs of an agent share. It is there as long as a run needs it, and made again when it breaks. */
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../contracts/errors.ts';
import { GatewayClosed, GatewayConnection } from './connection.ts';
import { runEventSchema } from './frames.ts';

export interface GatewayLinkOptions {
  readonly url: string;
  readonly token: string;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

export class GatewayLink {
  readonly #options: GatewayLinkOptions;
  readonly #users = new Set<object>();
  readonly #listeners = new Map<string, () => void>();
  #current: Promise<GatewayConnection> | undefined;
  #pauseMs = 0;

  constructor(options: GatewayLinkOptions) {
    this.#options = options;
  }

  /** To be called before the first use, and taken back after the last. */
  hold(user: object): void {
    this.#users.add(user);
  }

  release(user: object): void {
    this.#users.delete(user);
    if (this.#users.size > 0) return;
    const current = this.#current;
    this.#current = undefined;
    void current?.then((connection) => connection.close('nobody needs it any more')).catch(() => {});
  }

  /** Calls `onSign` for each event about this run; null takes it back. */
  listen(run: string, onSign: (() => void) | null): void {
    if (onSign) this.#listeners.set(run, onSign);
    else this.#listeners.delete(run);
  }

  /** A connection that was open a moment ago, or a new one. @throws GatewayClosed where one try fails */
  connect(): Promise<GatewayConnection> {
    this.#current ??= this.#open();
    const opening = this.#current;
    const forget = (): void => {
      if (this.#current === opening) this.#current = undefined;
    };
    void opening.then((connection) => connection.closed.then(forget), forget);
    return opening;
  }

  /**
   * A connection, however long it takes to get one.
   * @throws GatewayClosed where another try is of no use, or `signal` is aborted
   */
  async reconnect(signal: AbortSignal): Promise<GatewayConnection> {
    for (let why = 'nobody needs it any more'; ; ) {
      if (signal.aborted) throw new GatewayClosed(`no connection to the Gateway: ${why}`);
      try {
        return await this.connect();
      } catch (error) {
        if (error instanceof GatewayClosed && error.isFatal) throw error;
        why = messageOf(error);
      }
      this.#pauseMs = Math.min(Math.max(this.#pauseMs * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
      await pause(this.#pauseMs, undefined, { signal }).catch(() => {});
    }
  }

  async #open(): Promise<GatewayConnection> {
    const opening = GatewayConnection.open({
      ...this.#options,
      onEvent: ({ payload }) => {
        const run = runEventSchema.safeParse(payload).data?.runId;
        if (run !== undefined) this.#listeners.get(run)?.();
      },
    });
    const connection = await opening;
    this.#pauseMs = 0;
    return connection;
  }
}
