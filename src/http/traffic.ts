/** Responses in flight, so that a stop can wait for them. */
import { setMaxListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Clock } from '../base/environment.ts';
import { SignalboxError } from '../contracts/errors.ts';

export class Traffic {
  readonly #underway = new Set<ServerResponse>();
  readonly #closing = new AbortController();
  #onIdle = (): void => {};

  constructor() {
    // Every request in flight has a listener, which is not a leak.
    setMaxListeners(0, this.#closing.signal);
  }

  /** From `drain` on. */
  get isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Aborted when `drain` begins: handlers that wait for something answer now. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** @throws SignalboxError `shutting_down` */
  enter(response: ServerResponse): void {
    if (this.isClosing) {
      throw new SignalboxError('shutting_down', 'Signalbox is stopping: try again in a moment');
    }
    this.#underway.add(response);
    // Emitted also when the client disconnects before its answer.
    response.once('close', () => {
      this.#underway.delete(response);
      if (this.#underway.size === 0) this.#onIdle();
    });
  }

  /** Refuses new requests, and waits until every response is sent, at most `limitMs`. */
  drain(clock: Clock, limitMs: number): Promise<void> {
    this.#closing.abort();
    if (this.#underway.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = clock.schedule(limitMs, resolve);
      this.#onIdle = () => {
        cancel();
        resolve();
      };
    });
  }
}
