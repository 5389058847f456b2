/**
 * Delivers events of the log to one receiver, at least once and in order. An event is done when the receiver has answered
 * 2xx, or when it is saved as a dead letter; only then the next one is sent. An unavailable receiver delays only its own
 * webhook. With too many dead letters a webhook halts until some are redelivered or discarded; none is dropped.
 */
import type { Logger } from 'pino';
import { type EventFeed, type FeedEvent, isLastOfMessage } from '../../app/events/event-feed.ts';
import type { Environment } from '../../base/environment.ts';
import { pause } from '../../base/time.ts';
import type { WebhookAnswer, WebhookConfig } from '../../contracts/api/webhooks.ts';
import { messageOf } from '../../contracts/errors.ts';
import type { WebhookProgress } from './progress.ts';
import { type Receiver, type Sent, sendEvent } from './send.ts';

export interface SubscriptionOptions {
  readonly id: string;
  readonly config: WebhookConfig;
  readonly receiver: Receiver;
  readonly feed: EventFeed;
  /** The trace of the task that an event is about. */
  readonly traceparentOf: (event: FeedEvent) => string | null;
  /** What is sent of an event: its JSON, perhaps with more. */
  readonly contentOf: (event: FeedEvent) => string;
  readonly progress: WebhookProgress;
  readonly environment: Environment;
  readonly logger: Logger;
}

const MAX_DEAD_LETTERS = 10_000;
/** Wait before the log is read again after an error. */
const LOG_PAUSE_MS = 2_000;

export class Subscription {
  readonly #options: SubscriptionOptions;
  readonly #stopped = new AbortController();
  #state: WebhookAnswer['state'] = 'waiting';
  #lastError: string | null = null;
  /** Epoch milliseconds. */
  #lastDelivery: number | null = null;
  /** Resumes a halted webhook. */
  #onSpace = (): void => {};
  #running: Promise<void> = Promise.resolve();

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  get progress(): WebhookProgress {
    return this.#options.progress;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Resolves when the progress is saved. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#onSpace();
    await this.#running;
    await this.#options.progress.close();
  }

  describe(): WebhookAnswer {
    const { id, config, progress, feed } = this.#options;
    return {
      id,
      target: new URL(config.url).origin,
      events: [...config.events],
      project: config.project ?? null,
      state: this.#state,
      position: progress.position,
      lag: Math.max(0, feed.end - progress.position),
      dead_letters: progress.letters.length,
      last_error: this.#lastError,
      last_delivery_at: this.#lastDelivery === null ? null : new Date(this.#lastDelivery).toISOString(),
    };
  }

  /** Sends an event once, no matter whether it was sent before. */
  async send(event: FeedEvent): Promise<Sent> {
    const { receiver, environment, traceparentOf, contentOf } = this.#options;
    const now = environment.clock.now();
    const content = { id: event.id, json: contentOf(event) };
    const sent = await sendEvent(receiver, content, traceparentOf(event), now, this.#stopped.signal);
    if (sent.ok) {
      this.#lastError = null;
      this.#lastDelivery = environment.clock.now();
    } else if (!this.#isStopped) {
      this.#lastError = sent.error;
    }
    return sent;
  }

  /** Called after dead letters were removed. */
  resumeIfHalted(): void {
    this.#onSpace();
  }

  get #isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  async #run(): Promise<void> {
    const { logger } = this.#options;
    while (!this.#isStopped) {
      try {
        return await this.#follow();
      } catch (err) {
        this.#lastError = messageOf(err);
        logger.warn({ err }, 'cannot read the log for a webhook; trying again');
        await this.#pause(LOG_PAUSE_MS);
      }
    }
  }

  async #follow(): Promise<void> {
    const { config, feed, progress } = this.#options;
    const types = config.events.includes('*') ? undefined : config.events;
    const filter = { project: config.project, types };
    const { signal } = this.#stopped;
    for await (const { events, upTo } of feed.follow({ after: progress.position, filter, signal })) {
      for (const [index, event] of events.entries()) {
        if (!(await this.#deliver(event))) return;
        if (isLastOfMessage(events, index)) progress.advance(event.sequence);
      }
      progress.advance(upTo);
      this.#state = 'waiting';
    }
  }

  /** @returns false if the webhook was stopped before the event was done */
  async #deliver(event: FeedEvent): Promise<boolean> {
    const { config, logger, progress, environment } = this.#options;
    const { sequence, id: event_id, type } = event;
    this.#state = 'delivering';
    for (let attempt = 1; ; attempt++) {
      const sent = await this.send(event);
      if (sent.ok) return true;
      if (this.#isStopped) return false;
      const about = { sequence, type, attempt, reason: sent.error };
      if (attempt < config.max_attempts) {
        this.#state = 'retrying';
        logger.info(about, 'could not deliver an event; trying again');
        await this.#pause(this.#backoffMs(attempt));
        if (this.#isStopped) return false;
        continue;
      }
      if (!(await this.#hasSpace())) return false;
      logger.warn(about, 'gave up on an event: it is a dead letter now');
      const time = new Date(environment.clock.now()).toISOString();
      await progress.addLetter({ sequence, event_id, type, attempts: attempt, error: sent.error, time });
      return true;
    }
  }

  #backoffMs(attempt: number): number {
    const { config, environment } = this.#options;
    const { initial_seconds, factor, max_seconds, jitter } = config.backoff;
    const seconds = Math.min(initial_seconds * factor ** (attempt - 1), max_seconds);
    return seconds * 1_000 * (1 + jitter * (2 * environment.random() - 1));
  }

  /** Waits until there is space for a dead letter. @returns false if the webhook was stopped before */
  async #hasSpace(): Promise<boolean> {
    const { progress, logger } = this.#options;
    const isFull = (): boolean => progress.letters.length >= MAX_DEAD_LETTERS;
    if (isFull()) {
      logger.error(
        { dead_letters: progress.letters.length },
        'webhook halted, because it has too many dead letters: redeliver or discard them',
      );
    }
    while (isFull() && !this.#isStopped) {
      this.#state = 'halted';
      await new Promise<void>((resolve) => {
        this.#onSpace = resolve;
      });
    }
    return !this.#isStopped;
  }

  #pause(ms: number): Promise<void> {
    return pause(ms, this.#stopped.signal, this.#options.environment.clock);
  }
}
