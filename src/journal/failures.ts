/** The errors of every journal: those that end it, and those that make it wait. */
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import type { Tip } from './journal.ts';

/** This writer has lost the log. */
export function fenced(why: string): SignalboxError {
  return new SignalboxError(
    'log_fenced',
    `this Signalbox is not the writer of the log any more: ${why}. It stops; start it again when no other one runs`,
  );
}

/** Why a log that ends with `tip` is not the one whose end is `stored`. */
export function otherLog(stored: Tip, tip: Tip): string {
  if (tip.sequence < stored.sequence) {
    return `the log ends at ${tip.sequence}, but ${stored.sequence} was acknowledged: it is not the same log, or it lost its end`;
  }
  if (tip.sequence > stored.sequence) {
    return `the log ends at ${tip.sequence} (${idOf(tip)}): another process has written after ${stored.sequence}`;
  }
  return `message ${tip.sequence} has ${idOf(tip)}, but id ${stored.id} was acknowledged: it is not the same log`;
}

/** Why the log is lost if `message` has the place of an entry of this writer. */
export function writtenByAnother(message: Tip, noticedAfter: string): string {
  return `message ${message.sequence} (${idOf(message)}) was written by another process (noticed after: ${noticedAfter})`;
}

function idOf({ id }: Tip): string {
  return id === '' ? 'no id' : `id ${id}`;
}

export function closedForGood(): SignalboxError {
  return new SignalboxError(
    'nats_unavailable',
    'the connection to NATS was closed for good, so the log cannot be written any more. Start Signalbox again',
  );
}

/** Later entries depend on this one, so it cannot be left out. */
export function tooLarge(id: string, bytes: number, limit: number): SignalboxError {
  return new SignalboxError(
    'body_too_large',
    `event ${id} has ${bytes} bytes and can never be stored: the server takes messages of ${limit} bytes. Raise max_payload in its configuration, then start Signalbox again`,
    { details: { id, bytes, limit } },
  );
}

/** The log and the state of this process differ. */
export function notFollowed({ id, sequence }: Tip, cause: unknown): SignalboxError {
  return new SignalboxError(
    'internal',
    `event ${id} is stored as message ${sequence}, but applying it failed: ${messageOf(cause)}. Start Signalbox again: it rebuilds its state from the log`,
    { cause, details: { id, sequence } },
  );
}

export function unavailable(what: string, cause: unknown): SignalboxError {
  return new SignalboxError('nats_unavailable', `${what}: ${messageOf(cause)}`, { cause });
}

/** For a reader that accepts no missing message. `found` is the next one that exists, null if there is none. */
export async function refuseGap(missing: number, found: number | null): Promise<never> {
  const next = found === null ? 'nothing follows, though the log was longer' : `the next one is ${found}`;
  throw new SignalboxError(
    'log_corrupt',
    `the log has no message ${missing}; ${next}. It was purged, or the store is damaged: restore it from a backup`,
    { details: { expected: missing, found } },
  );
}
