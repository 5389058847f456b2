/** A conversation with a running program: its lines go to the speaker of its protocol, in bounded memory. */
import { deferred } from '../../base/deferred.ts';
import type { Channel, Sending } from '../../process/runner.ts';
import { JsonLines } from '../declared/json-output.ts';
import type { RunAnswer, RunMessage, RunRequest } from '../driver.ts';
import type { Link, Protocol, Speaker } from './protocol.ts';

export class Conversation implements Link {
  readonly request: RunRequest;
  readonly #channel: Channel;
  readonly #speaker: Speaker;
  readonly #resulted = deferred();
  /** Resolves when the program has given its result. */
  readonly whenResulted = this.#resulted.promise;
  /** Epoch milliseconds of the newest message that the program has got; 0 before the first. */
  lastSentAt = 0;

  constructor(channel: Channel, protocol: Protocol, request: RunRequest) {
    this.request = request;
    this.#channel = channel;
    this.#speaker = protocol.speaker(this);
    const lines = new JsonLines((event) => this.#speaker.receive(event));
    channel.read({ receive: (piece) => lines.write(piece), caughtUp: () => this.#speaker.caughtUp() });
  }

  async send(key: string, message: object): Promise<Sending> {
    const sending = await this.#channel.send(key, JSON.stringify(message));
    if (sending === 'sent') this.lastSentAt = Date.now();
    return sending;
  }

  note(key: string): void {
    this.#channel.note(key);
  }

  wasSent(key: string): Promise<boolean> {
    return this.#channel.wasSent(key);
  }

  resulted(): void {
    this.#resulted.resolve();
  }

  answer(answer: RunAnswer): void {
    this.#speaker.answer(answer);
  }

  steer(message: RunMessage): Promise<boolean> {
    return this.#speaker.steer(message);
  }

  close(): void {
    this.#speaker.close();
  }
}

/** The lines that a program gets first. */
export function openingText(protocol: Protocol, request: RunRequest): string {
  return protocol
    .opening(request)
    .map((message) => `${JSON.stringify(message)}\n`)
    .join('');
}
