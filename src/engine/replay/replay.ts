/** Replays a log: shows the projections at one moment after another, and checks the log against the present machines. */
import { MACHINES } from '../../../machines/index.ts';
import { newProjections, type Projections } from '../../../projections/index.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import type { Message } from '../../journal/codec/cloud-event.ts';
import type { StoredMessage } from '../../journal/journal.ts';
import { ActorHost, type Machines } from '../runtime/actor-host.ts';
import { assertReplays, type Divergence, divergenceOf } from '../runtime/divergence.ts';
import { ChainCheck, type EventSource, readRecords } from './event-source.ts';
import { type Moment, momentText } from './moment.ts';

export interface Place {
  /** Of the last record; 0 before the first. */
  readonly sequence: number;
  /** Epoch milliseconds at which it was decided. */
  readonly time: number;
}

export interface ReplayOptions {
  /** Actors to which every event is sent too, as at a start of Signalbox. */
  readonly host?: ActorHost;
  readonly onRecord?: (record: StoredRecord) => void;
}

/** At a sequence it shows what was visible when that event had been stored, and nothing later. */
export class Replay implements AsyncDisposable {
  /** As they were at `place`. Entries that were read from them never change. */
  readonly projections: Projections = newProjections();
  readonly #source: EventSource;
  readonly #options: ReplayOptions;
  readonly #chain = new ChainCheck();
  #messages: AsyncIterator<StoredMessage> | null = null;
  /** The records of the message after `place`, if it was read already. */
  #next: Message<StoredRecord> | null = null;
  #place: Place = { sequence: 0, time: 0 };

  constructor(source: EventSource, options: ReplayOptions = {}) {
    this.#source = source;
    this.#options = options;
  }

  get place(): Place {
    return this.#place;
  }

  /**
   * Goes on to a moment, or to the present end if it is null. It never goes back.
   * @param now epoch milliseconds; later moments are refused
   * @throws SignalboxError `no_such_moment` before the first event or after the last, `log_corrupt`, `log_newer`,
   *   `nats_unavailable`, and `replay_diverged` with a host
   */
  async advance(moment: Moment | null, now = Date.now()): Promise<Place> {
    if (moment?.kind === 'time' && moment.time > now)
      throw noSuchMoment(moment, `it has not come yet: now it is ${new Date(now).toISOString()}`);
    if (moment?.kind === 'sequence' && moment.sequence < 1)
      throw noSuchMoment(moment, 'the first event has the sequence 1');
    for (let next = await this.#peek(); next && isWithin(next[0], moment); next = await this.#peek()) {
      this.#next = null;
      for (const record of next) this.#apply(record);
      this.#place = { sequence: next[0].sequence, time: next[0].time };
    }
    this.#assertReached(moment);
    return this.#place;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#messages?.return?.();
    this.#messages = null;
  }

  #apply(record: StoredRecord): void {
    const { host, onRecord } = this.#options;
    if (host) assertReplays(record, host);
    this.projections.evolve(record);
    onRecord?.(record);
  }

  #assertReached(moment: Moment | null): void {
    const { sequence, time } = this.#place;
    if (moment?.kind === 'sequence' && sequence < moment.sequence) {
      const end =
        sequence === 0 ? 'is empty' : `ends with event ${sequence}, at ${new Date(time).toISOString()}`;
      throw noSuchMoment(moment, `${this.#source.name} ${end}`);
    }
    if (moment?.kind === 'time' && sequence === 0) {
      const begin =
        this.#next === null ? 'is empty' : `begins at ${new Date(this.#next[0].time).toISOString()}`;
      throw noSuchMoment(moment, `${this.#source.name} ${begin}`);
    }
  }

  /** The records of the next message, without applying them; null at the present end. */
  async #peek(): Promise<Message<StoredRecord> | null> {
    if (this.#next) return this.#next;
    // The log may have grown since the end was reached.
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

export interface CheckReport {
  /** Events, from the first on, with the same result as recorded. */
  readonly events: number;
  /** The first event with a different result; null if there is none. */
  readonly divergence: Divergence | null;
}

/**
 * Sends a history to the machines, up to the first event with a different result.
 * @param machines default: the present ones; others show what changing them would mean
 * @throws SignalboxError `log_corrupt`, `log_newer`, `nats_unavailable`
 */
export async function checkHistory(source: EventSource, machines: Machines = MACHINES): Promise<CheckReport> {
  const host = new ActorHost(machines);
  let events = 0;
  for await (const record of readRecords(source)) {
    const divergence = divergenceOf(record, host);
    if (divergence) return { events, divergence };
    events++;
  }
  return { events, divergence: null };
}
