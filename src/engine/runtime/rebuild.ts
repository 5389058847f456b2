/**
 * Rebuilding the state: the same events to the same machines and projections, in the order of the log.
 *
 * Invariant replay/same-result: every link of the hash chain is checked, and every transition is compared with the
 * recorded one. A log that was edited, or that the present machines would not have written, is refused with the
 * sequence of the first difference.
 */
import type { Projections } from '../../../projections/index.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { GENESIS_HASH, type Message, readRecords } from '../../journal/codec/cloud-event.ts';
import type { StoredMessage, Tip } from '../../journal/journal.ts';
import { chainHashOf } from '../../journal/redactions.ts';
import type { ActorHost } from './actor-host.ts';
import { assertReplays } from './divergence.ts';

/** A message, and what a rebuild needs of it. */
export interface HashedMessage {
  readonly sequence: number;
  readonly bytes: Uint8Array;
  /** SHA-256 (hex) of the bytes. */
  readonly hash: string;
}

/** Messages that follow each other without a gap; after a gap in the log a new batch begins. */
export interface Batch {
  /** The sequence of the first message. */
  readonly from: number;
  /** At least one. */
  readonly messages: readonly HashedMessage[];
  /** The id of the last message; decoding the ids of all would take as long as reading them. */
  readonly lastId: string;
}

/** A point in the log up to which the state is known. */
export interface Rebuilt {
  readonly tip: Tip;
  /** Hash of the last message. */
  readonly hash: string;
}

/** Before the first event. */
export const BEGINNING: Rebuilt = { tip: { sequence: 0, id: '' }, hash: GENESIS_HASH };

/** Reads all messages into the host and the projections. @throws SignalboxError `log_corrupt`, `replay_diverged` */
export async function rebuild(
  messages: AsyncIterable<StoredMessage>,
  host: ActorHost,
  projections: Projections,
): Promise<Rebuilt> {
  const rebuilding = new Rebuilding({ host, projections });
  for await (const message of messages) rebuilding.next(message);
  return rebuilding.end;
}

export interface RebuiltState {
  readonly host: ActorHost;
  readonly projections: Projections;
}

export class Rebuilding {
  readonly #state: RebuiltState;
  /** The last message. Its id is decoded only on access. */
  #last: Tip;
  /** Of the last message. */
  #hash: string;

  /** @param before the point up to which the log is in the state already */
  constructor(state: RebuiltState, before: Rebuilt = BEGINNING) {
    this.#state = state;
    this.#last = before.tip;
    this.#hash = before.hash;
  }

  get sequence(): number {
    return this.#last.sequence;
  }

  get end(): Rebuilt {
    const { sequence, id } = this.#last;
    return { tip: { sequence, id }, hash: this.#hash };
  }

  /** @throws SignalboxError `log_corrupt`, `replay_diverged` */
  next(message: StoredMessage): Message<StoredRecord> {
    const records = this.#take(message, chainHashOf(message));
    this.#last = message;
    return records;
  }

  /** The same for many messages that are hashed already. @throws SignalboxError `log_corrupt`, `replay_diverged` */
  nextOf({ messages, lastId: id }: Batch, onRecord: (record: StoredRecord) => void): void {
    let { sequence } = this;
    for (const message of messages) {
      for (const record of this.#take(message, message.hash)) onRecord(record);
      sequence = message.sequence;
    }
    this.#last = { sequence, id };
  }

  /** @param hash of its bytes, checked by the message after it */
  #take(message: Pick<StoredMessage, 'sequence' | 'bytes'>, hash: string): Message<StoredRecord> {
    const records = readRecords(message);
    if (records[0].previousHash !== this.#hash) throw brokenChain(message.sequence);
    for (const record of records) {
      assertReplays(record, this.#state.host);
      this.#state.projections.evolve(record);
    }
    this.#hash = hash;
    return records;
  }
}

/** The hash of the message before `sequence` is not the recorded one. */
export function brokenChain(sequence: number): SignalboxError {
  return new SignalboxError(
    'log_corrupt',
    `the hash chain breaks at event ${sequence}: the event before it is not the one that was written. Restore the log from a backup`,
    { details: { sequence } },
  );
}
