/** Messages of users to the agent of one job: each is passed on once, and confirmed. */
import { MAX_STEERED, type SteeringFields } from '../contracts/messages/agent-messages.ts';
import type { RunMessage } from '../drivers/driver.ts';

/** @returns false if the agent cannot take it now: it comes again later. May be asynchronous */
export type SteeringListener = (message: RunMessage) => unknown;

export class JobSteering {
  /** Ids of those that are being passed on. */
  readonly #underway = new Set<string>();
  /** Ids of those that the agent has. */
  readonly #passedOn = new Set<string>();
  #listener: SteeringListener | null = null;

  /** What every message about the job says. */
  get fields(): SteeringFields {
    if (!this.#listener) return { steering: 'none' };
    return {
      steering: 'confirm',
      ...(this.#passedOn.size > 0 && { steered: [...this.#passedOn].slice(-MAX_STEERED) }),
    };
  }

  listen(listener: SteeringListener): void {
    this.#listener = listener;
  }

  /** May be called again with the same message. */
  take(message: RunMessage): void {
    const { id } = message;
    if (!this.#listener || this.#passedOn.has(id) || this.#underway.has(id)) return;
    this.#underway.add(id);
    void this.#pass(this.#listener, message).finally(() => this.#underway.delete(id));
  }

  async #pass(listener: SteeringListener, message: RunMessage): Promise<void> {
    try {
      if ((await listener(message)) !== false) this.#passedOn.add(message.id);
    } catch {
      // It is not passed on: it comes again, or is in the next prompt.
    }
  }
}
