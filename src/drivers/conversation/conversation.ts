/** A conversation with a running program: its lines go to the speaker of its protocol, in bounded memory. */
import { deferred } from '../../base/deferred.ts';
import type { Channel, Sending } from '../../process/runner.ts';
import { JsonLines } from '../declared/json-output.ts';
import type { RunAnswer, RunMessage, RunRequest } from '../driver.ts';
import type { Link, McpServer, Protocol, Setting, Speaker } from './protocol.ts';

export class Conversation implements Link {
  readonly request: RunRequest;
  readonly workDirectory: string;
  readonly mcpServer: McpServer | null;
  readonly #channel: Channel;
  readonly #speaker: Speaker;
  readonly #resulted = deferred();
  readonly #over = deferred();
  /** Resolves when the program has given its result. */
  readonly whenResulted = this.#resulted.promise;
  /** Resolves when nothing more will be said, and the process is to be ended. */
  readonly whenOver = this.#over.promise;
  /** Whether Signalbox has ended it, or is about to. */
  isOver = false;
  /** Why it could not go on. */
  failure: string | undefined;
  /** Epoch milliseconds of the newest message that the program has got; 0 before the first. */
  lastSentAt = 0;

  constructor(channel: Channel, protocol: Protocol, { request, workDirectory, mcpServer }: Setting) {
    this.request = request;
    this.workDirectory = workDirectory;
    this.mcpServer = mcpServer;
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

  sentKeys(): Promise<readonly string[]> {
    return this.#channel.sentKeys();
  }

  resulted(): void {
    this.#resulted.resolve();
  }

  over(): void {
    this.isOver = true;
    this.#over.resolve();
  }

  failed(reason: string): void {
    this.failure ??= reason;
    this.over();
  }

  answer(answer: RunAnswer): void {
    this.#speaker.answer(answer);
  }

  steer(message: RunMessage): Promise<boolean> {
    return this.#speaker.steer(message);
  }

  /** Asks the program to leave off. Undefined for a protocol that cannot. */
  cancel(): Promise<void> | undefined {
    return this.#speaker.cancel?.();
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
