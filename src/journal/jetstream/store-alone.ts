/** Storing one entry by the client's own means: slower than the pipeline, and safe where the chain cannot be. */
import type { JetStreamClient } from '@nats-io/jetstream';
import { SignalboxError } from '../../contracts/errors.ts';
import { EVENT_STREAM } from '../../contracts/messages/subjects.ts';
import type { JournalEntry } from '../journal.ts';

/**
 * Stores `entry` as the message after `lastSequence`, by sequence only: enough for one message, because the tip was
 * read before and a message that slips in between takes the number.
 * @throws what the client throws, also where the answer is lost and the entry stored.
 */
export async function storeAlone(
  client: JetStreamClient,
  entry: JournalEntry,
  lastSequence: number,
): Promise<void> {
  const answer = await client.publish(entry.subject, entry.bytes, {
    msgID: entry.id,
    expect: { lastSequence, streamName: EVENT_STREAM },
  });
  if (answer.duplicate || answer.seq !== lastSequence + 1) {
    throw new SignalboxError('log_unavailable', `message ${entry.id} was acknowledged as ${answer.seq}`);
  }
}
