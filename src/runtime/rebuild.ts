/**
 * Rebuilding: the same events to the same machines and projections, in the log's order.
 *
 * B1 Every link of the hash chain is checked, and every transition is compared with the recorded one: a log that was
 *    edited, or that today's machines would not have written, is refused with the sequence of the first difference.
 */
import type { Projections } from '../../projections/index.ts';
import { decodeRecord, GENESIS_HASH } from '../contracts/cloud-event.ts';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import type { StoredRecord, Transition } from '../contracts/events.ts';
import type { StoredMessage, Tip } from '../journal/journal.ts';
import { chainHashOf } from '../journal/redactions.ts';
import type { ActorHost } from './actor-host.ts';
import type { Retention } from './retention.ts';

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
  const record = decodeRecord(text, `sequence ${message.sequence}`);
  return { ...record, sequence: message.sequence };
}

export interface RebuildOptions {
  /** After which event the messages begin; by default with the log's first. */
  readonly start?: Rebuilt;
  /** Lets settled tasks leave memory on the way, as they did when all this happened. */
  readonly retention?: Retention;
}

const BEGINNING: Rebuilt = { tip: { sequence: 0, id: '' }, hash: GENESIS_HASH };

/** @throws SignalboxError `log_corrupt`, `replay_diverged` */
export async function rebuild(
  messages: AsyncIterable<StoredMessage>,
  host: ActorHost,
  projections: Projections,
  { start = BEGINNING, retention }: RebuildOptions = {},
): Promise<Rebuilt> {
  let { tip, hash } = start;
  for await (const message of messages) {
    const record = readRecord(message);
    if (record.previousHash !== hash) throw brokenChain(message.sequence);
    replay(record, host);
    projections.evolve(record);
    retention?.onRecord(record);
    tip = { sequence: message.sequence, id: message.id };
    hash = chainHashOf(message);
  }
  return { tip, hash };
}

/** Sends one recorded event to the machines. @throws SignalboxError `replay_diverged` */
export function replay(record: StoredRecord, host: ActorHost): void {
  let transitions: readonly Transition[];
  try {
    transitions = host.apply(record.event);
  } catch (cause) {
    throw diverged(record, `today's machines refuse it: ${messageOf(cause)}`, cause);
  }
  if (transitions.length !== record.transitions.length) {
    throw diverged(
      record,
      `recorded are ${record.transitions.length} transitions, now there are ${transitions.length}`,
    );
  }
  for (const [index, now] of transitions.entries()) {
    const then = record.transitions[index];
    if (then && isSame(then, now)) continue;
    throw diverged(record, `recorded is ${JSON.stringify(then)}, now it is ${JSON.stringify(now)}`);
  }
}

function isSame(a: Transition, b: Transition): boolean {
  return (
    a.entity === b.entity &&
    a.id === b.id &&
    a.version === b.version &&
    a.from === b.from &&
    a.to === b.to &&
    a.machine === b.machine
  );
}

function diverged(record: StoredRecord, what: string, cause?: unknown): SignalboxError {
  return new SignalboxError(
    'replay_diverged',
    `event ${record.sequence} (${record.event.type}) does not replay: ${what}. Use the version of Signalbox that wrote the log`,
    { cause, details: { sequence: record.sequence } },
  );
}

function brokenChain(sequence: number): SignalboxError {
  return new SignalboxError(
    'log_corrupt',
    `the hash chain breaks at event ${sequence}: the event before it is not the one that was written. Restore the log from a backup`,
    { details: { sequence } },
  );
}
