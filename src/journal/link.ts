/** Whether the connection to NATS is up, as the client tells it. */
import type { NatsConnection, QueuedIterator, Status } from '@nats-io/transport-node';

export class Link {
  #up = true;
  readonly #statuses: QueuedIterator<Status>;

  /** @param onDown called at each loss of the connection; the client dials again by itself */
  constructor(connection: NatsConnection, onDown: () => void) {
    // Declared as a bare AsyncIterable, which could not be ended from here.
    this.#statuses = connection.status() as QueuedIterator<Status>;
    void this.#follow(onDown);
  }

  get isUp(): boolean {
    return this.#up;
  }

  /** Stops following. */
  close(): void {
    this.#statuses.stop();
  }

  async #follow(onDown: () => void): Promise<void> {
    for await (const { type } of this.#statuses) {
      if (type === 'reconnect') this.#up = true;
      if (type !== 'disconnect' && type !== 'close') continue;
      this.#up = false;
      onDown();
    }
  }
}
