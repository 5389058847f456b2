/**
 * Reading a long log ahead of those who fold it: in another thread, and hashed there.
 *
 * RA1 It only saves time. It may end anywhere, and what it does not give is read in place.
 * RA2 A batch has no gap in it. Where the log has one, the next batch begins behind it.
 */

/** What a rebuild needs of a message. */
export interface HashedMessage {
  readonly sequence: number;
  readonly bytes: Uint8Array;
  /** SHA-256 (hex) of the bytes. */
  readonly hash: string;
}

export interface Batch {
  /** The sequence of the first message. */
  readonly from: number;
  /** At least one, without a gap. */
  readonly messages: readonly HashedMessage[];
  /** The id of the last one: to decode it for all would take as long as to read them. */
  readonly lastId: string;
}

export interface ReadAhead {
  /** Events from which on it saves more time than its start takes. */
  readonly pays: number;
  /** Batches in order, from a sequence on, up to about the present end. Never throws. */
  read(from: number): AsyncIterable<Batch>;
}
