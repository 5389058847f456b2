/**
 * Ends a reading that would wait for ever: a server with a damaged store counts messages that it then does not deliver.
 */
import type { Consumer, ConsumerMessages } from '@nats-io/jetstream';

/** Between two looks. */
const LOOK_MS = 1_000;
/** Looks without a message, while the server says that there is none, after which there is none. */
const QUIET_LOOKS = 3;
/** Looks without a message, while the server counts some, after which it has lost them. */
const STUCK_LOOKS = 30;

export class StallWatch {
  readonly #consumer: Consumer;
  readonly #messages: ConsumerMessages;
  readonly #timer: NodeJS.Timeout;
  #received = 0;
  #quietLooks = 0;
  #stuckLooks = 0;
  #isLooking = false;
  /** `ended`: the server has no further message; `stuck`: it does not deliver those that it counts. */
  finding: 'none' | 'ended' | 'stuck' = 'none';

  constructor(consumer: Consumer, messages: ConsumerMessages) {
    this.#consumer = consumer;
    this.#messages = messages;
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#isLooking || this.#hasNews()) return;
    this.#isLooking = true;
    // A server that does not answer delivers later.
    const pending = await this.#consumer.info().then(
      (info) => info.num_pending,
      () => null,
    );
    this.#isLooking = false;
    if (this.#hasNews() || pending === null) return;
    this.#quietLooks = pending === 0 ? this.#quietLooks + 1 : 0;
    this.#stuckLooks = pending === 0 ? 0 : this.#stuckLooks + 1;
    if (this.#quietLooks >= QUIET_LOOKS) this.#end('ended');
    else if (this.#stuckLooks >= STUCK_LOOKS) this.#end('stuck');
  }

  /** Whether messages came since the last look, or wait for the reader. */
  #hasNews(): boolean {
    const received = this.#messages.getReceived();
    if (received === this.#received && this.#messages.getProcessed() === received) return false;
    this.#received = received;
    this.#quietLooks = 0;
    this.#stuckLooks = 0;
    return true;
  }

  #end(finding: 'ended' | 'stuck'): void {
    this.close();
    this.finding = finding;
    this.#messages.stop();
  }
}
