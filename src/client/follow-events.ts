/**
 * Follows the event log over NATS, with the rights of an observer: stored events by direct get, new ones on the subjects on
 * which the server republishes what it has stored.
 *
 * Each event comes once and in the log's order; redacted events are left out. A gap (a lost connection, a restarted server,
 * a slow reader) is filled from the log. At most `MAX_WAITING` events wait for the reader; further ones are read from the log.
 */
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import { EVENT_STREAM, LIVE_SUBJECTS } from '../contracts/messages/subjects.ts';

export interface FollowOptions {
  /** With the rights of an observer, and the user's own inbox prefix. */
  readonly connection: NatsConnection;
  /** The first sequence to read; 1 by default. */
  readonly from?: number;
  /** Ends the loop. */
  readonly signal?: AbortSignal;
  /** Milliseconds after which the log is checked for missed events; 2,000 by default. */
  readonly pollMs?: number;
}

export interface FollowedEvent {
  readonly sequence: number;
  /** The subject under which it was published: `signalbox.v1.evt.…`. */
  readonly subject: string;
  /** The CloudEvent as JSON. */
  readonly text: string;
}

const DIRECT_GET = `$JS.API.DIRECT.GET.${EVENT_STREAM}`;
/** Events requested at the same time. */
const AT_ONCE = 256;
/** Live events that wait for the reader. */
const MAX_WAITING = 10_000;
const POLL_MS = 2_000;
const GET_TIMEOUT_MS = 5_000;
const RETRY_MS = 250;

/**
 * Every event from `from` on, until the loop is left or `signal` aborts. While the server is unreachable it waits.
 * @throws SignalboxError `nats_unavailable` if the connection is closed, `forbidden` without the rights of an observer
 */
export async function* followEvents(options: FollowOptions): AsyncGenerator<FollowedEvent, void> {
  const { connection, signal, from = 1, pollMs = POLL_MS } = options;
  if (connection.isClosed()) {
    throw new SignalboxError('nats_unavailable', 'the connection to NATS is closed: open one to follow');
  }
  const live = new LiveEvents(connection);
  const stop = (): void => live.wake();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    let next = from;
    while (signal?.aborted !== true) {
      const event = live.take(next);
      if (event) {
        yield event;
        next += 1;
        continue;
      }
      const last = await lastSequence(connection, signal);
      if (last < next) {
        await live.wait(pollMs);
        continue;
      }
      const to = Math.min(last, next + AT_ONCE - 1);
      yield* await getAll(connection, next, to, signal);
      next = to + 1;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    live.close();
  }
}

/** Republished events by sequence, until they are taken or read from the log. */
class LiveEvents {
  readonly #subscription: Subscription;
  readonly #waiting = new Map<number, FollowedEvent>();
  #wake: () => void = () => {};

  constructor(connection: NatsConnection) {
    this.#subscription = connection.subscribe(LIVE_SUBJECTS, {
      callback: (error, message) => {
        if (!error) this.#add(message);
      },
    });
  }

  take(sequence: number): FollowedEvent | undefined {
    const event = this.#waiting.get(sequence);
    this.#waiting.delete(sequence);
    // Earlier ones were read from the log meanwhile.
    for (const earlier of this.#waiting.keys()) {
      if (earlier >= sequence) break;
      this.#waiting.delete(earlier);
    }
    return event;
  }

  /** Resolves when an event arrives, or after the time. */
  wait(ms: number): Promise<void> {
    if (this.#waiting.size > 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  wake(): void {
    this.#wake();
  }

  close(): void {
    this.#subscription.unsubscribe();
    this.#wake();
  }

  #add(message: Msg): void {
    const sequence = Number(message.headers?.get('Nats-Sequence'));
    if (!(sequence > 0) || this.#waiting.size >= MAX_WAITING) return this.#wake();
    const subject = message.headers?.get('Nats-Subject') ?? '';
    this.#waiting.set(sequence, { sequence, subject, text: message.string() });
    this.#wake();
  }
}

/** The end of the log; 0 if it is empty. */
async function lastSequence(connection: NatsConnection, signal: AbortSignal | undefined): Promise<number> {
  const answer = await get(connection, { last_by_subj: 'signalbox.v1.evt.>' }, signal);
  return answer?.sequence ?? 0;
}

async function getAll(
  connection: NatsConnection,
  from: number,
  to: number,
  signal: AbortSignal | undefined,
): Promise<FollowedEvent[]> {
  const sequences = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const found = await Promise.all(sequences.map((seq) => get(connection, { seq }, signal)));
  return found.filter((event) => event !== null);
}

/** null if there is no such message, or `signal` is aborted. Retries while the server is unreachable. */
async function get(
  connection: NatsConnection,
  query: { readonly seq: number } | { readonly last_by_subj: string },
  signal: AbortSignal | undefined,
): Promise<FollowedEvent | null> {
  for (;;) {
    if (signal?.aborted) return null;
    try {
      const answer = await connection.request(DIRECT_GET, JSON.stringify(query), { timeout: GET_TIMEOUT_MS });
      const status = answer.headers?.code ?? 0;
      if (status === 404) return null;
      const sequence = Number(answer.headers?.get('Nats-Sequence'));
      if (sequence > 0) {
        return { sequence, subject: answer.headers?.get('Nats-Subject') ?? '', text: answer.string() };
      }
    } catch (cause) {
      assertRetryable(connection, cause);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function assertRetryable(connection: NatsConnection, cause: unknown): void {
  if (connection.isClosed()) {
    const why = `the connection to NATS is closed: ${messageOf(cause)}`;
    throw new SignalboxError('nats_unavailable', why, { cause });
  }
  if (/permissions violation/i.test(messageOf(cause))) {
    throw new SignalboxError('forbidden', 'this NATS user may not read the event log', { cause });
  }
}
