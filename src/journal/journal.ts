/**
 * The event log, as the engine sees it. One contract suite tests every implementation (`test/contract/journal-contract.ts`).
 *
 * Invariant journal/total-order: entries are stored in the order in which they were appended, without a gap; `onStored` is
 * called in that order, once for each entry, and never before the entry is stored.
 * Invariant journal/one-writer: after `takeOver` succeeds, nothing that an earlier writer has in flight or sends later is
 * stored. The earlier writer learns it at its next append at the latest, by the state `fenced`. A log that is shorter
 * than what was acknowledged, or differs from it, is never written again either: `fenced`, with the reason.
 * Invariant journal/nothing-lost: an entry whose outcome is unknown (a lost connection, no answer) is looked up in the log
 * by its id, and is sent again only if it is not there. It is stored once.
 *
 * A journal also ends in `fenced`, with an error that says why, when it is halted, at an entry that can never be stored, at a handler that
 * throws, and if its connection is closed for good. After `close` nothing is sent or reported.
 */
import type { SignalboxError } from '../contracts/errors.ts';

/** What is to be stored. Ids are unique in the log and safe in a header: `[A-Za-z0-9._-]`. */
export interface JournalEntry {
  readonly id: string;
  readonly subject: string;
  readonly bytes: Uint8Array;
}

/** Read it field by field: a journal may compute a field when it is read, so that a spread would lose it. */
export interface StoredMessage {
  /** 1 for the first message of the log, and one more for each that follows. */
  readonly sequence: number;
  readonly id: string;
  readonly subject: string;
  readonly bytes: Uint8Array;
  /** For a tombstone (redactions.ts): SHA-256 (hex) of the bytes that were erased. Absent for a message as stored. */
  readonly originalHash?: string;
}

/** The end of the log; sequence 0 and an empty id if it has no message. */
export interface Tip {
  readonly sequence: number;
  readonly id: string;
}

/** Which messages the store says that it has. */
export interface Extent {
  /** The first and the last sequence; in a log that lost all its messages, `first` is after `last`. */
  readonly first: number;
  readonly last: number;
  readonly messages: number;
}

export function isSameTip(a: Tip, b: Tip): boolean {
  return a.sequence === b.sequence && a.id === b.id;
}

export type JournalState =
  /** Not the writer: not yet, or closed. */
  | { readonly kind: 'reader' }
  /** Entries are sent as they are appended. */
  | { readonly kind: 'open' }
  /** Finding out what was stored of the entries in flight; appended entries wait. */
  | { readonly kind: 'resyncing'; readonly reason: string }
  /**
   * Another writer took over, the log is damaged or another one (`log_corrupt`), or it cannot be written any more. Final.
   */
  | { readonly kind: 'fenced'; readonly error: SignalboxError };

export interface JournalHandlers<Entry extends JournalEntry> {
  /** Must not throw: that fences the journal. */
  onStored(entry: Entry, sequence: number): void;
  onState(state: JournalState): void;
}

export type TakeOver = { readonly ok: true } | { readonly ok: false; readonly tip: Tip };

export interface ReadRange {
  /** First sequence, at least 1. */
  readonly from: number;
  /** Last sequence, inclusive; at most, and by default, the tip at the time of the call. */
  readonly to?: number;
}

/**
 * Supplies what is read in place of a missing message.
 * @param found the next message that exists; null if there is none
 * @throws SignalboxError `log_corrupt` if nothing replaces it
 */
export type FillGap = (missing: number, found: number | null) => Promise<StoredMessage>;

/** All methods throw SignalboxError `nats_unavailable` if the log cannot be reached. */
export interface Journal<Entry extends JournalEntry> {
  readonly state: JournalState;
  /** Entries that were appended and are not known to be stored yet. */
  readonly backlog: number;
  tip(): Promise<Tip>;
  /** Cheap. @throws SignalboxError `log_corrupt` if the log does not exist any more */
  extent(): Promise<Extent>;
  /** The sequences between the first and the last one that have no message. */
  missing(): Promise<readonly number[]>;
  /**
   * Messages in order, without a gap.
   * @param fill called for each missing message; by default a missing message is an error
   * @throws SignalboxError `log_corrupt` for a missing message
   */
  read(range: ReadRange, fill?: FillGap): AsyncIterable<StoredMessage>;
  /** The same, with missing messages left out. */
  readPresent(range: ReadRange): AsyncIterable<StoredMessage>;
  /** The messages whose subject begins with `prefix` (whole tokens) from sequence `from` (1) up to the present end. */
  readBySubject(prefix: string, from?: number): AsyncIterable<StoredMessage>;
  /** The messages whose subject matches a NATS filter (`*` stands for one token), up to the present end. */
  readByFilter(filter: string): AsyncIterable<StoredMessage>;
  /** Whether there is a message with exactly this subject. */
  holds(subject: string): Promise<boolean>;
  /** Overwrites a message in the store and removes it from the log, for good. Does nothing if it does not exist. */
  erase(sequence: number): Promise<void>;
  /**
   * Becomes the writer by storing `entry` as the next message after `tip`. Returns `ok: false` with the present tip if
   * the log has moved on. `onStored` is not called for this entry. If it throws, the entry may still be stored, a little
   * later.
   */
  takeOver(tip: Tip, entry: Entry): Promise<TakeOver>;
  /** Appends; `onStored` follows. May be called while resyncing. Does nothing once fenced. */
  append(entry: Entry): void;
  /** Sends nothing more, because the log must not be written: `fenced`, with this error. */
  halt(error: SignalboxError): void;
  /** Stops writing for good. Entries that are not stored yet are not reported. */
  close(): Promise<void>;
}

/** The part of a journal that reads. */
export type LogReader = Pick<
  Journal<JournalEntry>,
  'tip' | 'read' | 'readPresent' | 'readBySubject' | 'readByFilter'
>;
