/**
 * Verifies the hash chain of the log in steps, from any event whose hash is known: every stored message has the hash that
 * the next one names, and the id and subject of its content. One number and one hash say how far it has come, so the
 * verification of a long log continues after a restart.
 */
import { messageOf } from '../contracts/errors.ts';
import { eventSubject, subjectPartsOfAll } from '../contracts/messages/subjects.ts';
import { eventsOf, GENESIS_HASH, readRecords } from './codec/cloud-event.ts';
import { damaged } from './failures.ts';
import type { LogReader, StoredMessage } from './journal.ts';
import { chainHashOf } from './redactions.ts';

/** The last verified event, and its hash. */
export interface ChainPosition {
  readonly sequence: number;
  readonly hash: string;
}

export const CHAIN_START: ChainPosition = { sequence: 0, hash: GENESIS_HASH };

/**
 * Verifies the events after a position.
 * @param reader replaces redacted messages by their tombstones
 * @param to the last event to verify
 * @param onEvent called after each event, with the bytes that were read; awaited, so that other work can run in between
 * @throws SignalboxError `log_corrupt` with the sequence of the first event that is wrong, `nats_unavailable`
 */
export async function verifyChain(
  reader: Pick<LogReader, 'read'>,
  from: ChainPosition,
  to: number,
  onEvent: (bytes: number) => Promise<void> | undefined = () => undefined,
): Promise<ChainPosition> {
  let { sequence, hash } = from;
  for await (const message of reader.read({ from: sequence + 1, to })) {
    assertContinues(message, hash);
    hash = chainHashOf(message);
    sequence = message.sequence;
    const pause = onEvent(message.bytes.length);
    if (pause) await pause;
  }
  return { sequence, hash };
}

/** @throws SignalboxError `log_corrupt` */
function assertContinues(message: StoredMessage, hash: string): void {
  const { sequence, originalHash } = message;
  const records = readOrRefuse(message);
  const { id, previousHash } = records[0];
  if (previousHash !== hash) {
    throw damaged(
      Math.max(1, sequence - 1),
      `event ${sequence} names another hash than event ${sequence - 1} has: one of the two was changed or replaced`,
    );
  }
  // A tombstone is made from its redaction, which the chain protects.
  if (originalHash !== undefined) return;
  if (message.id !== id) {
    throw damaged(sequence, `the message of event ${sequence} has the id ${message.id || 'none'}, not ${id}`);
  }
  const subject = eventSubject(subjectPartsOfAll(eventsOf(records)));
  if (message.subject !== subject) {
    throw damaged(sequence, `event ${sequence} has the subject ${message.subject}, not ${subject}`);
  }
}

function readOrRefuse(message: StoredMessage): ReturnType<typeof readRecords> {
  try {
    return readRecords(message);
  } catch (cause) {
    throw damaged(message.sequence, `event ${message.sequence} cannot be read: ${messageOf(cause)}`);
  }
}
