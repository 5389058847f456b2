/**
 * Rebuilding: the same events to the same machines and projections, in the log's order.
 *
 * B1 Every link of the hash chain is checked, and every transition is compared with the recorded one: a log that was
 *    edited, or that today's machines would not have written, is refused with the sequence of the first difference.
 */
import type { Projections } from '../../projections/index.ts';
import { decodeRecord, GENESIS_HASH } from '../contracts/cloud-event.ts';
import { SignalboxError } from '../contracts/errors.ts';
import type { StoredRecord } from '../contracts/events.ts';
import type { StoredMessage, Tip } from '../journal/journal.ts';
import { chainHashOf } from '../journal/redactions.ts';
import type { ActorHost } from './actor-host.ts';
import { assertReplays } from './divergence.ts';

export interface Rebuilt {
  readonly tip: Tip;
  /** Hash of the last message. */
  readonly hash: string;
}

/** Reads a stored message. @throws SignalboxError `log_corrupt` */
export function readRecord(message: StoredMessage): StoredRecord {
  const text = Buffer.from(
    message.bytes.buffer,
    message.bytes.byteOffset,
    message.bytes.byteLength,
  ).toString();
  const { sequence } = message;
  // Spelled out: a spread is several times as slow, and this is done for every event of a log.
  const { id, time, actor, cause, previousHash, event, transitions } = decodeRecord(
    text,
    `sequence ${sequence}`,
  );
  return { sequence, id, time, actor, cause, previousHash, event, transitions };
}

/** Before the first event. */
export const BEGINNING: Rebuilt = { tip: { sequence: 0, id: '' }, hash: GENESIS_HASH };

/** Reads everything into what is given. @throws SignalboxError `log_corrupt`, `replay_diverged` */
export async function rebuild(
  messages: AsyncIterable<StoredMessage>,
  host: ActorHost,
  projections: Projections,
): Promise<Rebuilt> {
  let end = BEGINNING;
  for await (const message of messages) end = rebuildNext(message, end, { host, projections }).end;
  return end;
}

/**
 * The next message of the log.
 * @param before the message before it. @throws SignalboxError `log_corrupt`, `replay_diverged`
 */
export function rebuildNext(
  message: StoredMessage,
  before: Rebuilt,
  { host, projections }: { readonly host: ActorHost; readonly projections: Projections },
): { readonly end: Rebuilt; readonly record: StoredRecord } {
  const record = readRecord(message);
  if (record.previousHash !== before.hash) throw brokenChain(message.sequence);
  assertReplays(record, host);
  projections.evolve(record);
  const end = { tip: { sequence: message.sequence, id: message.id }, hash: chainHashOf(message) };
  return { end, record };
}

/** The bytes before `sequence` are not those that its hash names. */
export function brokenChain(sequence: number): SignalboxError {
  return new SignalboxError(
    'log_corrupt',
    `the hash chain breaks at event ${sequence}: the event before it is not the one that was written. Restore the log from a backup`,
    { details: { sequence } },
  );
}
