/** The configured webhooks, and their dead letters. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Needs } from '../../app/context.ts';
import { type EventFeed, type FeedEvent, feedEventOf } from '../../app/events/event-feed.ts';
import { taskTraceparent } from '../../app/tasks/task-trace.ts';
import type { Variables } from '../../base/environment.ts';
import type { AnswerLink } from '../../contracts/api/answer-links.ts';
import {
  type ChooseLetters,
  MAX_REDELIVERIES,
  type Redelivered,
  type WebhookAnswer,
  type WebhookConfig,
  type WebhookLetter,
} from '../../contracts/api/webhooks.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { WebhookProgress } from './progress.ts';
import { signingKeyOf } from './send.ts';
import { Subscription } from './subscription.ts';

export interface WebhooksOptions {
  readonly configs: Readonly<Record<string, WebhookConfig>>;
  readonly app: Needs<'state.projections' | 'log.read' | 'environment'>;
  readonly feed: EventFeed;
  /** The answer link of a question that an event asks; null for any other event. */
  readonly linkOf: (event: FeedEvent) => AnswerLink | null;
  /** With a file for the progress of each webhook. */
  readonly directory: string;
  /** Environment variables with the secrets. */
  readonly env: Variables;
  readonly logger: Logger;
}

export class Webhooks {
  readonly #subscriptions: ReadonlyMap<string, Subscription>;
  readonly #app: WebhooksOptions['app'];

  private constructor(subscriptions: ReadonlyMap<string, Subscription>, app: WebhooksOptions['app']) {
    this.#subscriptions = subscriptions;
    this.#app = app;
  }

  /** @throws SignalboxError `config_invalid` for a missing secret or a damaged file; no webhook runs then */
  static async start(options: WebhooksOptions): Promise<Webhooks> {
    const { configs, app, feed, directory, env } = options;
    const subscriptions = new Map<string, Subscription>();
    for (const [id, config] of Object.entries(configs)) {
      const logger = options.logger.child({ webhook: id });
      const secret = env[config.secret_env];
      if (!secret) {
        throw new SignalboxError(
          'config_invalid',
          `webhooks.${id}.secret_env: the variable ${config.secret_env} is not set; set it to the secret that signs the events`,
        );
      }
      const receiver = {
        url: config.url,
        key: signingKeyOf(secret),
        timeoutMs: config.timeout_seconds * 1_000,
      };
      const { environment } = app;
      const file = join(directory, `${id}.json`);
      const progress = await WebhookProgress.open(file, logger, environment.clock, feed.end);
      const traceparentOf = (event: FeedEvent): string | null => taskTraceparent(app, event);
      const contentOf = (event: FeedEvent): string => withLink(event.json, options.linkOf(event));
      const parts = { id, config, receiver, feed, traceparentOf, contentOf, progress, environment, logger };
      subscriptions.set(id, new Subscription(parts));
    }
    for (const subscription of subscriptions.values()) subscription.start();
    return new Webhooks(subscriptions, app);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#subscriptions.values()].map((each) => each.stop()));
  }

  list(): readonly WebhookAnswer[] {
    return [...this.#subscriptions.values()].map((each) => each.describe());
  }

  /** Dead letters, the oldest first. @throws SignalboxError `not_found` */
  letters(id: string): readonly WebhookLetter[] {
    return this.#find(id).progress.letters;
  }

  /**
   * Redelivers dead letters, once each and in order. Accepted ones are removed.
   * @throws SignalboxError `not_found`, `nats_unavailable`
   */
  async redeliver(id: string, choice: ChooseLetters): Promise<Redelivered> {
    const subscription = this.#find(id);
    const { chosen, errors } = choose(subscription, choice);
    const delivered: WebhookLetter[] = [];
    for (const letter of chosen) {
      const sent = await subscription.send(await this.#read(letter));
      if (sent.ok) delivered.push(letter);
      else errors.push({ sequence: letter.sequence, detail: sent.error });
    }
    return this.#settle(subscription, delivered, errors);
  }

  /** Removes dead letters; their events stay in the log. @throws SignalboxError `not_found` */
  async discard(id: string, choice: ChooseLetters): Promise<Redelivered> {
    const subscription = this.#find(id);
    const { chosen, errors } = choose(subscription, choice);
    return this.#settle(subscription, chosen, errors);
  }

  async #settle(
    subscription: Subscription,
    delivered: readonly WebhookLetter[],
    errors: Redelivered['errors'],
  ): Promise<Redelivered> {
    if (delivered.length > 0) await subscription.progress.removeLetters(delivered);
    subscription.resumeIfHalted();
    return {
      delivered: delivered.map(({ sequence }) => sequence),
      errors,
      left: subscription.progress.letters.length,
    };
  }

  async #read({ sequence, event_id }: WebhookLetter): Promise<FeedEvent> {
    for await (const record of this.#app.log.read({ from: sequence, to: sequence }))
      if (record.id === event_id) return feedEventOf(record);
    throw new SignalboxError('log_corrupt', `the log has no event ${sequence}, although it was stored`);
  }

  #find(id: string): Subscription {
    const subscription = this.#subscriptions.get(id);
    if (subscription) return subscription;
    const known = [...this.#subscriptions.keys()].join(', ') || 'none';
    throw new SignalboxError('not_found', `there is no webhook ${id}; configured webhooks: ${known}`);
  }
}

/** An event with the link that answers its question. The link is not in the log, and made anew for each delivery. */
function withLink(json: string, link: AnswerLink | null): string {
  return link === null ? json : `${json.slice(0, -1)},"answer_link":${JSON.stringify(link)}}`;
}

function choose(
  { progress }: Subscription,
  { sequences }: ChooseLetters,
): { readonly chosen: readonly WebhookLetter[]; readonly errors: Redelivered['errors'] } {
  if (sequences === undefined) return { chosen: progress.letters.slice(0, MAX_REDELIVERIES), errors: [] };
  const wanted = new Set(sequences);
  const chosen = progress.letters.filter(({ sequence }) => wanted.has(sequence));
  for (const { sequence } of chosen) wanted.delete(sequence);
  const errors = [...wanted].map((sequence) => ({ sequence, detail: 'this event is not a dead letter' }));
  return { chosen, errors };
}
