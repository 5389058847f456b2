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

/**
 * The log is not what was written. `sequence` is the first event that is wrong, as far as it is known.
 * @param what a sentence without its end
 */
export function damaged(sequence: number | null, what: string, details: object = {}): SignalboxError {
  return new SignalboxError(
    'log_corrupt',
    `the event log is damaged: ${what}. Nothing is written to it. Stop Signalbox and restore the log from a backup; "signalbox audit verify" lists everything that is wrong`,
    { details: { sequence, ...details } },
  );
}

/** The error if the log ends with `tip`, and not with what was acknowledged last. */
export function otherLog(stored: Tip, tip: Tip): SignalboxError {
  if (tip.sequence < stored.sequence) {
    return damaged(
      tip.sequence + 1,
      `the log ends at ${tip.sequence}, but ${stored.sequence} was acknowledged: it is not the same log, or it lost its end`,
    );
  }
  if (tip.sequence > stored.sequence) {
    return fenced(
      `the log ends at ${tip.sequence} (${idOf(tip)}): another process has written after ${stored.sequence}`,
    );
  }
  return damaged(
    tip.sequence,
    `message ${tip.sequence} has ${idOf(tip)}, but id ${stored.id} was acknowledged: it is not the same log`,
  );
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

/** What servers say if a store, an account or a disk is full: errors 10023, 10047 and 10077 of JetStream. */
const FULL =
  /maximum bytes exceeded|insufficient (?:storage )?resources|no space left|resource limits? exceeded/i;

/** Whether the server refused something for want of storage. */
export function isStorageShort(error: unknown): boolean {
  return FULL.test(messageOf(error));
}

/** Why the log cannot be written, and what to do. @param reason what the server said last */
export function unwritable(reason: string): string {
  return FULL.test(reason)
    ? `the event log is full (${reason}): raise nats.max_file_bytes, or the limit of your NATS server, and free space on its disk. Nothing that was accepted is lost`
    : `the event log cannot be written at the moment (${reason}): try again in a moment`;
}

export function unavailable(what: string, cause: unknown): SignalboxError {
  return new SignalboxError('nats_unavailable', `${what}: ${messageOf(cause)}`, { cause });
}

/** For a reader that accepts no missing message. `found` is the next one that exists, null if there is none. */
export async function refuseGap(missing: number, found: number | null): Promise<never> {
  const next = found === null ? 'nothing follows, though the log was longer' : `the next one is ${found}`;
  throw damaged(
    missing,
    `it has no event ${missing}; ${next}. It was purged, or the store of the NATS server lost it`,
    { expected: missing, found },
  );
}
