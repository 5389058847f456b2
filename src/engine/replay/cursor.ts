/**
 * The records of a source, one after the other, up to a moment, and from there on to a later one.
 *
 * RC1 Where two records follow each other in the log, the hash chain between them is checked: a log that was edited is
 *     refused with the place, not shown.
 * RC2 What a replay shows at a sequence is what was visible when that event had been stored, and nothing later.
 */

import { SignalboxError } from '../../contracts/errors.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { GENESIS_HASH } from '../../journal/codec/cloud-event.ts';
import type { StoredMessage } from '../../journal/journal.ts';
import { chainHashOf } from '../../journal/redactions.ts';
import { brokenChain, readRecord } from '../runtime/rebuild.ts';
import type { EventSelection, EventSource } from './event-source.ts';
import { type Moment, momentText } from './moment.ts';

/** Where a replay stands. */
export interface Place {
  /** Of the last record; 0 before the first. */
  readonly sequence: number;
  /** Epoch milliseconds at which it was decided. */
  readonly time: number;
}

/** Checks the links between records that follow each other (RC1). */
export class ChainCheck {
  #sequence: number;
  /** null where the record before is not known. */
  #hash: string | null;

  /** @param after the sequence of the record that came before the first one */
  constructor(after = 0) {
    this.#sequence = after;
    this.#hash = after === 0 ? GENESIS_HASH : null;
  }

  /** Decodes the message. @throws SignalboxError `log_corrupt`, `log_newer` */
  read(message: StoredMessage): StoredRecord {
    const record = readRecord(message);
    const isNext = message.sequence === this.#sequence + 1;
    if (isNext && this.#hash !== null && record.previousHash !== this.#hash)
      throw brokenChain(message.sequence);
    this.#sequence = message.sequence;
    this.#hash = chainHashOf(message);
    return record;
  }
}

/** Decoded, with the chain checked. @throws SignalboxError `log_corrupt`, `log_newer`, `nats_unavailable` */
export async function* readRecords(
  source: EventSource,
  selection: EventSelection = {},
): AsyncIterable<StoredRecord> {
  const chain = new ChainCheck((selection.from ?? 1) - 1);
  for await (const message of source.read(selection)) yield chain.read(message);
}

export class RecordCursor {
  readonly #source: EventSource;
  readonly #onRecord: (record: StoredRecord) => void;
  readonly #chain = new ChainCheck();
  #messages: AsyncIterator<StoredMessage> | null = null;
  /** Read already, and later than where the cursor stands. */
  #next: StoredRecord | null = null;
  #place: Place = { sequence: 0, time: 0 };

  /** @param onRecord is given each record, once, in order */
  constructor(source: EventSource, onRecord: (record: StoredRecord) => void) {
    this.#source = source;
    this.#onRecord = onRecord;
  }

  get place(): Place {
    return this.#place;
  }

  /**
   * Goes on to a moment, or to the present end. It does not go back: an earlier moment is where it stands.
   * @param now epoch milliseconds; a time after it has not come yet
   * @throws SignalboxError `no_such_moment` before the first event or after the last, `log_corrupt`, `nats_unavailable`
   */
  async advance(moment: Moment | null, now: number): Promise<Place> {
    if (moment?.kind === 'time' && moment.time > now)
      throw noSuchMoment(moment, `it has not come yet: now it is ${new Date(now).toISOString()}`);
    if (moment?.kind === 'sequence' && moment.sequence < 1)
      throw noSuchMoment(moment, 'the first event has the sequence 1');
    for (let next = await this.#peek(); next && isWithin(next, moment); next = await this.#peek()) {
      this.#next = null;
      this.#onRecord(next);
      this.#place = { sequence: next.sequence, time: next.time };
    }
    this.#assertReached(moment);
    return this.#place;
  }

  /** Lets go of the source. */
  async close(): Promise<void> {
    await this.#messages?.return?.();
    this.#messages = null;
  }

  #assertReached(moment: Moment | null): void {
    const { sequence, time } = this.#place;
    if (moment?.kind === 'sequence' && sequence < moment.sequence) {
      const end =
        sequence === 0 ? 'it is empty' : `it ends with ${sequence}, at ${new Date(time).toISOString()}`;
      throw noSuchMoment(moment, `${this.#source.name} does not have it: ${end}`);
    }
    if (moment?.kind === 'time' && sequence === 0) {
      const begin = this.#next === null ? 'is empty' : `begins at ${new Date(this.#next.time).toISOString()}`;
      throw noSuchMoment(moment, `${this.#source.name} ${begin}`);
    }
  }

  /** The next record, without going there; null at the end as it is now. */
  async #peek(): Promise<StoredRecord | null> {
    if (this.#next) return this.#next;
    // Where the end was reached before, the log may have grown since.
    this.#messages ??= this.#source.read({ from: this.#place.sequence + 1 })[Symbol.asyncIterator]();
    const { done, value } = await this.#messages.next();
    if (done) this.#messages = null;
    else this.#next = this.#chain.read(value);
    return this.#next;
  }
}

function isWithin(record: StoredRecord, moment: Moment | null): boolean {
  if (moment === null) return true;
  return moment.kind === 'sequence' ? record.sequence <= moment.sequence : record.time <= moment.time;
}

function noSuchMoment(moment: Moment, why: string): SignalboxError {
  return new SignalboxError('no_such_moment', `there is nothing at ${momentText(moment)}: ${why}`, {
    details: { moment },
  });
}
