/** The errors that end a journal or keep it waiting: every journal says them in the same words. */
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import type { Tip } from './journal.ts';

/** The log is lost to this writer. */
export function fenced(why: string): SignalboxError {
  return new SignalboxError(
    'log_fenced',
    `this Signalbox is not the writer of the log any more: ${why}. It stops; start it again when no other one runs`,
  );
}

/** Why the log is not the one whose end is `stored`, where it ends with `tip` instead. */
export function otherLog(stored: Tip, tip: Tip): string {
  if (tip.sequence < stored.sequence) {
    return `the log ends at ${tip.sequence}, but ${stored.sequence} was acknowledged: it is not the same log, or it lost its end`;
  }
  if (tip.sequence > stored.sequence) {
    return `the log ends at ${tip.sequence} (id ${tip.id}), and after ${stored.sequence} another has written`;
  }
  return `message ${tip.sequence} has the id ${tip.id || 'of none'}, acknowledged was ${stored.id}: it is not the same log`;
}

/** Why the log is lost where `message` stands in the place of an entry of ours. */
export function writtenByAnother(message: Tip, noticedAfter: string): string {
  return `message ${message.sequence} (id ${message.id || 'of none'}) was written by another (noticed after: ${noticedAfter})`;
}

export function closedForGood(): SignalboxError {
  return new SignalboxError(
    'nats_unavailable',
    'the connection to NATS was closed for good, so the log cannot be written any more. Start Signalbox again',
  );
}

/** What was decided after this entry rests on it, so it cannot be left out. */
export function tooLarge(id: string, bytes: number, limit: number): SignalboxError {
  return new SignalboxError(
    'body_too_large',
    `event ${id} has ${bytes} bytes and can never be stored: the server takes messages of ${limit} bytes. Raise max_payload in its configuration, then start Signalbox again`,
    { details: { id, bytes, limit } },
  );
}

/** The log and what this process makes of it have parted. */
export function notFollowed({ id, sequence }: Tip, cause: unknown): SignalboxError {
  return new SignalboxError(
    'internal',
    `event ${id} is stored as message ${sequence}, but taking note of it failed: ${messageOf(cause)}. Start Signalbox again: it rebuilds its state from the log`,
    { cause, details: { id, sequence } },
  );
}

export function unavailable(what: string, cause: unknown): SignalboxError {
  return new SignalboxError('nats_unavailable', `${what}: ${messageOf(cause)}`, { cause });
}

/** For a reader for whom nothing may be missing. */
export const refuseGap = async (missing: number, found: number | null): Promise<never> => {
  throw gap(missing, found);
};

/** Sequences from `expected` on are not in the log; `found` is the next one that is, null where there is none. */
export function gap(expected: number, found: number | null): SignalboxError {
  const next = found === null ? 'nothing follows, though the log was longer' : `the next one is ${found}`;
  return new SignalboxError(
    'log_corrupt',
    `the log has no message ${expected}; ${next}. It was purged, or the store is damaged: restore it from a backup`,
    { details: { expected, found } },
  );
}
