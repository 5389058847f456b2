/** The wire format of one append: its headers, and what the server answers. */
import type { JetStreamClient } from '@nats-io/jetstream';
import type { Msg, MsgHdrs } from '@nats-io/transport-node';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { EVENT_STREAM } from '../../contracts/messages/subjects.ts';
import type { JournalEntry } from '../journal.ts';

/** Header names of JetStream (ADR-4: case matters to the server). */
const MESSAGE_ID = 'Nats-Msg-Id';
const EXPECTED_SEQUENCE = 'Nats-Expected-Last-Sequence';
const EXPECTED_MESSAGE_ID = 'Nats-Expected-Last-Msg-Id';

/** An upper bound for the headers of an append: three names, two ids and a number. */
export const MAX_HEADER_BYTES = 512;

/**
 * The headers of one append: its own id, and the sequence and id that must be the log's last.
 *
 * Both, because a sequence alone does not stop a pipeline at its first gap: a foreign message takes the sequence of the
 * refused one, and the expectation of the next is true again. The id breaks the chain there.
 *
 * Encoded by hand: the client asks a header only for `encode()`, and its own implementation (a case-keeping multi-map)
 * takes more time than all the rest of a publish.
 */
export function appendHeaders(id: string, lastSequence: number, lastId: string): MsgHdrs {
  const chain = lastId === '' ? '' : `${EXPECTED_MESSAGE_ID}: ${lastId}\r\n`;
  const block = Buffer.from(
    `NATS/1.0\r\n${MESSAGE_ID}: ${id}\r\n${EXPECTED_SEQUENCE}: ${lastSequence}\r\n${chain}\r\n`,
    'latin1',
  );
  return { encode: () => block } as unknown as MsgHdrs;
}

export function messageIdOf(headers: MsgHdrs | undefined): string {
  return headers?.get(MESSAGE_ID) ?? '';
}

/** The sequence of a stored message, or why it is not known to be stored. */
export type Acknowledgement = { readonly sequence: number } | { readonly refusal: string };

/** Never throws: an unreadable answer counts as a refusal, and so does a duplicate, whose place only the log can tell. */
export function readAcknowledgement(message: Msg): Acknowledgement {
  // An empty answer is the server's "no responders": no stream listens.
  if (message.data.length === 0) return { refusal: 'no stream takes the subject' };
  let answer: {
    readonly seq?: number;
    readonly duplicate?: boolean;
    readonly error?: { readonly description?: string };
  } | null;
  try {
    answer = message.json();
  } catch (error) {
    return { refusal: `an answer that is not JSON: ${messageOf(error)}` };
  }
  if (answer?.error) return { refusal: answer.error.description ?? 'an error without a description' };
  if (answer?.duplicate) return { refusal: 'acknowledged as a duplicate' };
  if (typeof answer?.seq !== 'number') return { refusal: 'an answer without a sequence' };
  return { sequence: answer.seq };
}

/**
 * Stores `entry` as the message after `lastSequence`, and waits for it: slower than the pipeline. By sequence only, which
 * is enough for one message: the tip was read before, and a message that slips in between takes the sequence.
 * @throws what the client throws, also if the answer is lost and the entry stored
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
