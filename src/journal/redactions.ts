/**
 * Reading a log from which content was erased. Where a message is gone, readers get a tombstone: the skeleton that its
 * redaction carries, with the hash of what was stored, so that the hash chain continues through it in both directions.
 *
 * A redaction is in the log before the message that it names is erased, so there is always one or the other. A message
 * that is missing without a redaction is a gap, and an error.
 */
import { sha256 } from '../base/hash.ts';
import { SignalboxError } from '../contracts/errors.ts';
import { type EventOf, redactedForm } from '../contracts/events/events.ts';
import {
  eventSubject,
  REDACTION_FILTER,
  redactionFilter,
  subjectPartsOfAll,
} from '../contracts/messages/subjects.ts';
import { decodeMessage, eventsOf, readRecords, recordsOf } from './codec/cloud-event.ts';
import { refuseGap } from './failures.ts';
import type { FillGap, LogReader, StoredMessage } from './journal.ts';

export type Redaction = EventOf<'task.redacted'> & {
  /** Sequence of the redaction itself. */
  readonly by: number;
};

/** The hash that the next event of the chain carries. */
export function chainHashOf({ bytes, originalHash }: StoredMessage): string {
  return originalHash ?? sha256(bytes);
}

/** All redactions, in the log's order. @throws SignalboxError `log_corrupt`, `nats_unavailable` */
export async function* readRedactions(
  reader: Pick<LogReader, 'readByFilter'>,
  filter = REDACTION_FILTER,
): AsyncIterable<Redaction> {
  for await (const { event, sequence } of recordsOf(reader.readByFilter(filter))) {
    if (event.type === 'task.redacted') yield { ...event, by: sequence };
  }
}

/** The parts of a stored message that a redaction changes. */
interface Envelope {
  readonly data: { readonly event: unknown; readonly also?: readonly { readonly event: unknown }[] };
}

/**
 * What a redaction records of the message whose content is erased.
 * @throws SignalboxError `invalid_request` for an event without content
 */
export function skeletonOf(message: StoredMessage): Pick<Redaction, 'sequence' | 'sha256' | 'skeleton'> {
  const { sequence } = message;
  const events = eventsOf(readRecords(message));
  const forms = events.map((event) => redactedForm(event));
  if (forms.every((form) => form === null)) {
    const names = events.map(({ type }) => type).join(', ');
    throw new SignalboxError(
      'invalid_request',
      `event ${sequence} is ${names} and has no text of a user or an agent: there is nothing to redact`,
      { details: { sequence, type: events[0].type } },
    );
  }
  const envelope = JSON.parse(Buffer.from(message.bytes).toString()) as Envelope;
  const { also } = envelope.data;
  const data = {
    ...envelope.data,
    event: forms[0] ?? envelope.data.event,
    ...(also && { also: also.map((each, index) => ({ ...each, event: forms[index + 1] ?? each.event })) }),
  };
  const skeleton = { ...envelope, data };
  return { sequence, sha256: chainHashOf(message), skeleton };
}

/** What is read in place of the message that a redaction names. @throws SignalboxError `log_corrupt` */
export function tombstoneFor({ skeleton, sequence, sha256: originalHash, by }: Redaction): StoredMessage {
  const text = JSON.stringify(skeleton);
  const records = decodeMessage(text, `sequence ${by}, the skeleton of event ${sequence}`);
  return {
    sequence,
    id: records[0].id,
    subject: eventSubject(subjectPartsOfAll(eventsOf(records))),
    bytes: Buffer.from(text),
    originalHash,
  };
}

/** A reader that replaces redacted messages by tombstones. Redactions are looked up at the first gap, so it is free without one. */
export function withTombstones(reader: LogReader): LogReader {
  return {
    tip: () => reader.tip(),
    read: (range) => reader.read(range, tombstones(reader)),
    readPresent: (range) => reader.readPresent(range),
    readByFilter: (filter) => reader.readByFilter(filter),
    readBySubject: (prefix, from) => readSubject(reader, prefix, from),
  };
}

/** Replaces a missing message by its tombstone. @throws SignalboxError `log_corrupt` if no redaction names it */
export function tombstones(reader: Pick<LogReader, 'readByFilter'>): FillGap {
  const known = new Map<number, Redaction>();
  return async (missing, found) => {
    if (!known.has(missing)) {
      for await (const redaction of readRedactions(reader)) known.set(redaction.sequence, redaction);
    }
    const redaction = known.get(missing);
    return redaction ? tombstoneFor(redaction) : refuseGap(missing, found);
  };
}

/** Sequences below a subject have gaps anyway, so tombstones are inserted at their place. */
async function* readSubject(reader: LogReader, prefix: string, from = 1): AsyncIterable<StoredMessage> {
  const waiting: Redaction[] = [];
  for await (const redaction of readRedactions(reader, redactionFilter(prefix))) {
    if (redaction.sequence >= from) waiting.push(redaction);
  }
  waiting.sort((a, b) => b.sequence - a.sequence);
  let last = 0;
  for await (const message of reader.readBySubject(prefix, from)) {
    for (let next = waiting.at(-1); next && next.sequence <= message.sequence; next = waiting.at(-1)) {
      waiting.pop();
      // A message that is named twice has one tombstone; one that is not erased yet is read itself.
      if (next.sequence > last && next.sequence < message.sequence) yield tombstoneFor(next);
      last = next.sequence;
    }
    yield message;
    last = message.sequence;
  }
}
