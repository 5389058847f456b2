/**
 * One webhook: events of the log, in its order, to one receiver.
 *
 * W1 At least once: an event is done when the receiver has answered 2xx, or when it is written down as a dead letter.
 * W2 In order: an event is sent when the one before it is done. A receiver that is away holds up its own webhook alone.
 * W3 No dead letter is dropped to make room: a webhook that has too many halts until somebody looks.
 */
import type { Logger } from 'pino';
import type { EventFeed, FeedEvent } from '../../app/events/event-feed.ts';
import type { Environment } from '../../base/environment.ts';
import type { WebhookAnswer, WebhookConfig } from '../../contracts/api/webhooks.ts';
import { messageOf } from '../../contracts/errors.ts';
import type { Progress } from './progress.ts';
import { type Receiver, type Sent, sendEvent } from './send.ts';

export interface SubscriptionOptions {
  readonly id: string;
  readonly config: WebhookConfig;
  readonly receiver: Receiver;
  readonly feed: EventFeed;
  /** The trace of what an event is about. */
  readonly traceparentOf: (event: FeedEvent) => string | null;
  readonly progress: Progress;
  readonly environment: Environment;
  readonly logger: Logger;
}

const MAX_DEAD_LETTERS = 10_000;
/** Milliseconds after which reading the log is tried again. */
const LOG_PAUSE_MS = 2_000;

export class Subscription {
  readonly #options: SubscriptionOptions;
  readonly #stopped = new AbortController();
  #state: WebhookAnswer['state'] = 'waiting';
  #lastError: string | null = null;
  #lastDelivery: number | null = null;
  /** Wakes a webhook that has halted. */
  #onRoom = (): void => {};
  #running: Promise<void> = Promise.resolve();

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  get progress(): Progress {
    return this.#options.progress;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Resolves when nothing is under way any more, and how far it is is written down. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#onRoom();
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

  /** One try, whatever has happened to it before. */
  async send(event: FeedEvent): Promise<Sent> {
    const { receiver, environment, traceparentOf } = this.#options;
    const now = environment.clock.now();
    const sent = await sendEvent(receiver, event, traceparentOf(event), now, this.#stopped.signal);
    if (sent.ok) {
      this.#lastError = null;
      this.#lastDelivery = environment.clock.now();
    } else if (!this.#isStopped) {
      this.#lastError = sent.error;
    }
    return sent;
  }

  /** To be called when dead letters were taken away. */
  makeRoom(): void {
    this.#onRoom();
  }

  get #isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  async #run(): Promise<void> {
    const { logger } = this.#options;
    while (!this.#isStopped) {
      try {
        await this.#follow();
        return;
      } catch (err) {
        this.#lastError = messageOf(err);
        logger.warn({ err }, 'a webhook cannot read the log: trying again');
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
      for (const event of events) {
        if (!(await this.#deliver(event))) return;
        progress.advance(event.sequence);
      }
      progress.advance(upTo);
      this.#state = 'waiting';
    }
  }

  /** @returns false where it was stopped before the event was done */
  async #deliver(event: FeedEvent): Promise<boolean> {
    const { config, logger, progress, environment } = this.#options;
    this.#state = 'delivering';
    for (let attempt = 1; ; attempt++) {
      const sent = await this.send(event);
      if (sent.ok) return true;
      if (this.#isStopped) return false;
      const { sequence, id: event_id, type } = event;
      if (attempt < config.max_attempts) {
        this.#state = 'retrying';
        logger.info({ sequence, type, attempt, reason: sent.error }, 'an event could not be delivered');
        await this.#pause(this.#backoffMs(attempt));
        if (this.#isStopped) return false;
        continue;
      }
      if (!(await this.#room())) return false;
      logger.warn({ sequence, type, attempt, reason: sent.error }, 'an event was given up: a dead letter');
      const time = new Date(environment.clock.now()).toISOString();
      await progress.bury({ sequence, event_id, type, attempts: attempt, error: sent.error, time });
      return true;
    }
  }

  #backoffMs(attempt: number): number {
    const { config, environment } = this.#options;
    const { initial_seconds, factor, max_seconds, jitter } = config.backoff;
    const seconds = Math.min(initial_seconds * factor ** (attempt - 1), max_seconds);
    return seconds * 1_000 * (1 + jitter * (2 * environment.random() - 1));
  }

  /** Waits until there is room for one more dead letter. @returns false where it was stopped before */
  async #room(): Promise<boolean> {
    const { progress, logger } = this.#options;
    if (progress.letters.length >= MAX_DEAD_LETTERS) {
      logger.error(
        { dead_letters: progress.letters.length },
        'a webhook halts, because it has too many dead letters: redeliver or discard them',
      );
    }
    while (progress.letters.length >= MAX_DEAD_LETTERS && !this.#isStopped) {
      this.#state = 'halted';
      await new Promise<void>((resolve) => {
        this.#onRoom = resolve;
      });
    }
    return !this.#isStopped;
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#stopped;
    return new Promise((resolve) => {
      const cancel = this.#options.environment.clock.schedule(ms, () => {
        signal.removeEventListener('abort', onStop);
        resolve();
      });
      const onStop = (): void => {
        cancel();
        resolve();
      };
      if (signal.aborted) onStop();
      else signal.addEventListener('abort', onStop, { once: true });
    });
  }
}
