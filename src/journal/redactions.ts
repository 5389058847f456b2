/**
 * Reading a log from which content was erased: where a message is gone, the skeleton that its redaction carries stands
 * in for it.
 *
 * E1 A redaction is in the log before the message that it names is erased: no moment has neither.
 * E2 A stand-in has the hash of what was stored, so the hash chain goes through it in both directions: its own
 *    `previoushash` is that of the original, and the next event names the recorded hash.
 * E3 A message that is missing without a redaction is a gap, and an error as ever.
 */

import { sha256 } from '../base/hash.ts';
import { SignalboxError } from '../contracts/errors.ts';
import type { EventOf } from '../contracts/events/events.ts';
import { redactedForm } from '../contracts/events/events.ts';
import {
  eventSubject,
  REDACTION_FILTER,
  redactionFilter,
  subjectPartsOf,
} from '../contracts/messages/subjects.ts';
import { decodeRecord } from './codec/cloud-event.ts';
import { refuseGap } from './failures.ts';
import type { FillGap, Journal, JournalEntry, StoredMessage } from './journal.ts';

export type Redaction = EventOf<'task.redacted'> & {
  /** Sequence of the redaction itself. */
  readonly by: number;
};

/** The part of a journal that reads. */
export type LogReader = Pick<
  Journal<JournalEntry>,
  'tip' | 'read' | 'readPresent' | 'readBySubject' | 'readByFilter'
>;

/** The link of a message in the hash chain. */
export function chainHashOf({ bytes, originalHash }: StoredMessage): string {
  return originalHash ?? sha256(bytes);
}

/** All redactions, in the log's order. @throws SignalboxError `log_corrupt`, `nats_unavailable` */
export function readRedactions(reader: Pick<LogReader, 'readByFilter'>): AsyncIterable<Redaction> {
  return redactionsIn(reader, REDACTION_FILTER);
}

async function* redactionsIn(
  reader: Pick<LogReader, 'readByFilter'>,
  filter: string,
): AsyncIterable<Redaction> {
  for await (const { bytes, sequence } of reader.readByFilter(filter)) {
    const { event } = decodeRecord(Buffer.from(bytes).toString(), `sequence ${sequence}`);
    if (event.type === 'task.redacted') yield { ...event, by: sequence };
  }
}

/**
 * What a redaction says of the message whose content goes.
 * @throws SignalboxError `invalid_request` for an event that has no content
 */
export function skeletonOf(message: StoredMessage): Pick<Redaction, 'sequence' | 'sha256' | 'skeleton'> {
  const { sequence } = message;
  const text = Buffer.from(message.bytes).toString();
  const { event } = decodeRecord(text, `sequence ${sequence}`);
  const form = redactedForm(event);
  if (form === null) {
    throw new SignalboxError(
      'invalid_request',
      `event ${sequence} is a ${event.type} that nobody wrote anything into: there is nothing to redact`,
      { details: { sequence, type: event.type } },
    );
  }
  const envelope = JSON.parse(text) as { readonly data: object };
  const skeleton = { ...envelope, data: { ...envelope.data, event: form } };
  return { sequence, sha256: chainHashOf(message), skeleton };
}

/** What is read in the place of the message that a redaction names. @throws SignalboxError `log_corrupt` */
export function standInFor({ skeleton, sequence, sha256: originalHash, by }: Redaction): StoredMessage {
  const text = JSON.stringify(skeleton);
  const { id, event } = decodeRecord(text, `sequence ${by}, the skeleton of event ${sequence}`);
  return {
    sequence,
    id,
    subject: eventSubject(subjectPartsOf(event)),
    bytes: Buffer.from(text),
    originalHash,
  };
}

/**
 * A reader of the log for which nothing is missing that was redacted. Where nothing is missing it costs nothing: the
 * redactions are looked up at the first gap.
 */
export function withStandIns(reader: LogReader): LogReader {
  return {
    tip: () => reader.tip(),
    read: (range) => reader.read(range, standIns(reader)),
    readPresent: (range) => reader.readPresent(range),
    readByFilter: (filter) => reader.readByFilter(filter),
    readBySubject: (prefix, from) => readSubject(reader, prefix, from),
  };
}

/** Gives what stands for a missing message. @throws SignalboxError `log_corrupt` where no redaction names it (E3) */
export function standIns(reader: Pick<LogReader, 'readByFilter'>): FillGap {
  let known: ReadonlyMap<number, Redaction> = new Map();
  return async (missing, found) => {
    // Erased after the redactions were looked up: by then the one that names it was there (E1).
    if (!known.has(missing)) known = await redactionsOf(reader);
    const redaction = known.get(missing);
    return redaction ? standInFor(redaction) : refuseGap(missing, found);
  };
}

/** By the sequence that each one names. */
export async function redactionsOf(
  reader: Pick<LogReader, 'readByFilter'>,
): Promise<ReadonlyMap<number, Redaction>> {
  const found = new Map<number, Redaction>();
  for await (const redaction of readRedactions(reader)) found.set(redaction.sequence, redaction);
  return found;
}

/** A subject has no numbers without a gap: the stand-ins are put where they belong. */
async function* readSubject(reader: LogReader, prefix: string, from = 1): AsyncIterable<StoredMessage> {
  const waiting: Redaction[] = [];
  for await (const redaction of redactionsIn(reader, redactionFilter(prefix))) {
    if (redaction.sequence >= from) waiting.push(redaction);
  }
  waiting.sort((a, b) => b.sequence - a.sequence);
  let last = 0;
  for await (const message of reader.readBySubject(prefix, from)) {
    for (let next = waiting.at(-1); next && next.sequence <= message.sequence; next = waiting.at(-1)) {
      waiting.pop();
      // What is named twice stands once; what is not erased yet stands for itself.
      if (next.sequence > last && next.sequence < message.sequence) yield standInFor(next);
      last = next.sequence;
    }
    yield message;
    last = message.sequence;
  }
}
