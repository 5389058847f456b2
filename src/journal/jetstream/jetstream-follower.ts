/** Following the log as it grows. */
import type { JetStreamClient } from '@nats-io/jetstream';
import { SignalboxError } from '../../contracts/errors.ts';
import { EVENT_STREAM } from '../../contracts/messages/subjects.ts';
import { refuseGap, unavailable } from '../failures.ts';
import type { FillGap, StoredMessage } from '../journal.ts';
import { ReadMessage, startingAt } from './jetstream-reader.ts';

export interface LiveRequest {
  /** First sequence. */
  readonly from: number;
  /**
   * Only what stands under this subject; all where it is absent. What was erased before it came here is left out then:
   * under a subject nobody can tell that something is missing.
   */
  readonly subject?: string | undefined;
  /** Called for each message that is missing; without it, that is an error. */
  readonly fill?: FillGap;
}

/**
 * Messages that a follower asks for at once, and milliseconds for which it asks. A server that is killed forgets who
 * follows: two heartbeats that do not come make the client ask anew.
 */
const FOLLOWING = { max_messages: 500, expires: 5_000, idle_heartbeat: 1_000 } as const;

/** See `LiveLogReader`. */
export async function* readLive(
  client: JetStreamClient,
  { from, subject, fill = refuseGap }: LiveRequest,
  signal: AbortSignal,
): AsyncIterable<StoredMessage> {
  if (signal.aborted) return;
  const filter = subject === undefined ? {} : { filter_subjects: `${subject}.>` };
  const consumer = await client.consumers
    .get(EVENT_STREAM, { ...startingAt(from), ...filter })
    .catch((cause: unknown) => {
      throw unavailable('the log cannot be followed', cause);
    });
  const messages = await consumer.consume(FOLLOWING);
  const stop = (): void => void messages.close();
  signal.addEventListener('abort', stop, { once: true });
  let expected = from;
  try {
    for await (const message of messages) {
      const { seq: sequence } = message;
      if (subject !== undefined) expected = sequence;
      for (; expected < sequence; expected++) yield await fill(expected, sequence);
      yield new ReadMessage(message);
      if (signal.aborted) return;
      expected = sequence + 1;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    await messages.close();
    await consumer.delete().catch(() => false);
  }
  if (!signal.aborted)
    throw new SignalboxError('nats_unavailable', 'following the log stopped: the connection closed');
}
