/**
 * Which requests over NATS Signalbox answers: those whose reply subject is an inbox. It answers with its own rights, which
 * are all of its account: a request could otherwise name the subject of an event, of JetStream or of another user.
 */
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { Clock } from '../base/environment.ts';
import { isInbox } from '../contracts/messages/subjects.ts';

/** Milliseconds between two log lines about requests that are not answered. */
const LOG_EVERY_MS = 60_000;

export class AnswerableRequests {
  readonly #logger: Logger;
  readonly #clock: Pick<Clock, 'now'>;
  #refused = 0;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(logger: Logger, clock: Pick<Clock, 'now'>) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** Requests that were neither carried out nor answered, since the start of this process. */
  get refused(): number {
    return this.#refused;
  }

  /** Whether a request may be carried out. One without a reply subject wants no answer. */
  allows({ subject, reply }: Pick<Msg, 'subject' | 'reply'>): boolean {
    if (reply === undefined || reply === '' || isInbox(reply)) return true;
    this.#refused++;
    const now = this.#clock.now();
    if (now - this.#loggedAt >= LOG_EVERY_MS) {
      this.#loggedAt = now;
      this.#logger.warn(
        { subject: subject.slice(0, 200), reply: reply.slice(0, 200), refused: this.#refused },
        'refused a request over NATS whose reply subject is not an inbox: a client must let its library choose it ("_INBOX…")',
      );
    }
    return false;
  }

  /** The connection, for code that answers by itself: its subscriptions do not see requests that are refused. */
  only(connection: NatsConnection): NatsConnection {
    const subscribe: NatsConnection['subscribe'] = (subject, options = {}) => {
      const { callback } = options;
      if (callback === undefined) throw new TypeError('subscribe with a callback');
      return connection.subscribe(subject, {
        ...options,
        callback: (error, message) => {
          if (error || this.allows(message)) callback(error, message);
        },
      });
    };
    return new Proxy(connection, {
      get: (target, property) => {
        if (property === 'subscribe') return subscribe;
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }
}
