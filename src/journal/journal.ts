/**
 * The promise of every journal. One contract suite holds all of them to it (`test/contract/journal-contract.ts`).
 *
 * J1 Order: entries are stored in the order in which they were appended, without a gap; `onStored` is called in that
 *    order, once for each entry, and never before the entry is stored.
 * J2 One writer: after `takeOver` succeeds, nothing that an earlier writer has in flight or sends later is stored.
 *    The earlier writer learns it, at its next append at the latest, by the state `fenced`, in which nothing more is
 *    stored or reported.
 * J3 Nothing is given up: an entry whose fate is unknown (a lost connection, no answer) is looked up in the log by
 *    its id, and is sent again only where it is not there. It is stored once.
 * J4 A log that is shorter or other than what was acknowledged is never written to again: `fenced`, with the reason.
 * J5 What cannot go on stops: an entry that can never be stored, a handler that throws and a connection that is
 *    closed for good end in `fenced` too, with an error that says so.
 * J6 After `close` nothing is sent or reported.
 */
import type { SignalboxError } from '../contracts/errors.ts';

/** What is to be stored. Ids are unique in the log and safe in a header: `[A-Za-z0-9._-]`. */
export interface JournalEntry {
  readonly id: string;
  readonly subject: string;
  readonly bytes: Uint8Array;
}

/** To be read field by field: a journal may work one out when it is asked for it, so that a spread would lose it. */
export interface StoredMessage {
  /** 1 for the first message of the log, and one more for each that follows. */
  readonly sequence: number;
  readonly id: string;
  readonly subject: string;
  readonly bytes: Uint8Array;
  /**
   * SHA-256 (hex) of the bytes that were stored, where they are gone and `bytes` are what stands for them
   * (redactions.ts). Absent for a message as it was stored.
   */
  readonly originalHash?: string;
}

/** The end of the log; sequence 0 and an empty id where it has no message. */
export interface Tip {
  readonly sequence: number;
  readonly id: string;
}

export function isSameTip(a: Tip, b: Tip): boolean {
  return a.sequence === b.sequence && a.id === b.id;
}

export type JournalState =
  /** Not the writer (yet, or not any more by its own wish). */
  | { readonly kind: 'reader' }
  /** Entries go out as they come. */
  | { readonly kind: 'open' }
  /** The fate of what was sent is being found out; appended entries wait. */
  | { readonly kind: 'resyncing'; readonly reason: string }
  /** Another writer took over, the log is not the one that was written, or it cannot be written any more. Final. */
  | { readonly kind: 'fenced'; readonly error: SignalboxError };

export interface JournalHandlers<Entry extends JournalEntry> {
  /** Must not throw (J5). */
  onStored(entry: Entry, sequence: number): void;
  onState(state: JournalState): void;
}

export type TakeOver = { readonly ok: true } | { readonly ok: false; readonly tip: Tip };

export interface ReadRange {
  /** First sequence, at least 1. */
  readonly from: number;
  /** Last sequence, inclusive; the tip at the time of the call where it is absent or beyond it. */
  readonly to?: number;
}

/**
 * What is read in the place of a message that is not there.
 * @param found the next one that is there; null where none is
 * @throws SignalboxError `log_corrupt` where nothing stands for it
 */
export type FillGap = (missing: number, found: number | null) => Promise<StoredMessage>;

export interface Journal<Entry extends JournalEntry> {
  readonly state: JournalState;
  /** Entries that were appended and are not stored yet, as far as is known. */
  readonly backlog: number;
  /** @throws SignalboxError `nats_unavailable` */
  tip(): Promise<Tip>;
  /**
   * Messages in order, without a gap.
   * @param fill called for each message that is missing; without it, that is an error
   * @throws SignalboxError `log_corrupt` with the sequence that is missing, `nats_unavailable`
   */
  read(range: ReadRange, fill?: FillGap): AsyncIterable<StoredMessage>;
  /**
   * The same, leaving out what is not there: `from` and `to` need not be, and after the last one nothing follows.
   * @throws SignalboxError `nats_unavailable`
   */
  readPresent(range: ReadRange): AsyncIterable<StoredMessage>;
  /**
   * The messages whose subject begins with `prefix` (whole tokens), in order, up to the present end.
   * @param from first sequence; 1 where it is absent
   * @throws SignalboxError `nats_unavailable`
   */
  readBySubject(prefix: string, from?: number): AsyncIterable<StoredMessage>;
  /** Whether a message stands at exactly this subject. @throws SignalboxError `nats_unavailable` */
  holds(subject: string): Promise<boolean>;
  /** The same by a NATS filter: `*` stands for one token. @throws SignalboxError `nats_unavailable` */
  readByFilter(filter: string): AsyncIterable<StoredMessage>;
  /**
   * Overwrites a message in the store and takes it out of the log, for good. Nothing happens where it is not there.
   * @throws SignalboxError `nats_unavailable`
   */
  erase(sequence: number): Promise<void>;
  /**
   * Becomes the writer by storing `entry` as the next message after `tip`. Answers `ok: false` with the present tip
   * where the log has moved on. `onStored` is not called for this entry.
   * @throws SignalboxError `nats_unavailable`; the entry may be stored all the same, a little later.
   */
  takeOver(tip: Tip, entry: Entry): Promise<TakeOver>;
  /** Appends; the answer is `onStored`. May be called while resyncing. Does nothing once fenced. */
  append(entry: Entry): void;
  /** Stops writing for good. What was appended and not stored stays unreported. */
  close(): Promise<void>;
}
