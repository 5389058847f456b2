/** The connection that all runs of an agent share: open while a run needs it, and opened again when it breaks. */
import { pause } from '../../base/time.ts';
import { messageOf } from '../../contracts/errors.ts';
import { GatewayClosed, GatewayConnection, type GatewayOptions } from './connection.ts';
import { runEventSchema } from './frames.ts';

const MIN_PAUSE_MS = 200;
const MAX_PAUSE_MS = 5_000;

type Address = Pick<GatewayOptions, 'url' | 'token'>;

export class GatewayLink {
  readonly #options: Address;
  readonly #users = new Set<object>();
  readonly #listeners = new Map<string, () => void>();
  #current: Promise<GatewayConnection> | undefined;
  #pauseMs = 0;

  constructor(options: Address) {
    this.#options = options;
  }

  /** Call it before the first use, and `release` after the last. */
  hold(user: object): void {
    this.#users.add(user);
  }

  release(user: object): void {
    this.#users.delete(user);
    if (this.#users.size === 0) this.close();
  }

  /** Closes the connection, even while it is used. */
  close(): void {
    const current = this.#current;
    this.#current = undefined;
    void current?.then((connection) => connection.close('it is not needed any more')).catch(() => {});
  }

  /** Calls `onSign` for each event about this run; null removes it. */
  listen(run: string, onSign: (() => void) | null): void {
    if (onSign) this.#listeners.set(run, onSign);
    else this.#listeners.delete(run);
  }

  /** The open connection, or a new one. @throws GatewayClosed if the attempt to connect fails */
  #connect(): Promise<GatewayConnection> {
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
   * @throws GatewayClosed if trying again is useless, or `signal` is aborted
   */
  async reconnect(signal: AbortSignal): Promise<GatewayConnection> {
    for (let why = 'it is not needed any more'; ; ) {
      if (signal.aborted) throw new GatewayClosed(`no connection to the Gateway: ${why}`);
      try {
        return await this.#connect();
      } catch (error) {
        if (error instanceof GatewayClosed && error.isFatal) throw error;
        why = messageOf(error);
      }
      this.#pauseMs = Math.min(Math.max(this.#pauseMs * 2, MIN_PAUSE_MS), MAX_PAUSE_MS);
      await pause(this.#pauseMs, signal);
    }
  }

  async #open(): Promise<GatewayConnection> {
    const connection = await GatewayConnection.open({
      ...this.#options,
      onEvent: ({ payload }) => {
        const run = runEventSchema.safeParse(payload).data?.runId;
        if (run !== undefined) this.#listeners.get(run)?.();
      },
    });
    this.#pauseMs = 0;
    return connection;
  }
}
