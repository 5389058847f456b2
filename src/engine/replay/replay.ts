/** All of Signalbox's projections at a moment of the past, and then at a later one. */
import { newProjections } from '../../../projections/index.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import type { ActorHost } from '../runtime/actor-host.ts';
import { assertReplays } from '../runtime/divergence.ts';
import { type Place, RecordCursor } from './cursor.ts';
import type { EventSource } from './event-source.ts';
import type { Moment } from './moment.ts';

export interface ReplayOptions {
  /** Machines that every event is sent to as well, as at the start of a Signalbox; none where it is absent. */
  readonly host?: ActorHost;
  /** Told of each record when it is in the projections. */
  readonly onRecord?: (record: StoredRecord) => void;
}

export class Replay implements AsyncDisposable {
  /** As they were at `place`. Entries that were read out of them stay as they are (F3). */
  readonly projections = newProjections();
  readonly #cursor: RecordCursor;

  constructor(source: EventSource, { host, onRecord }: ReplayOptions = {}) {
    this.#cursor = new RecordCursor(source, (record) => {
      if (host) assertReplays(record, host);
      this.projections.evolve(record);
      onRecord?.(record);
    });
  }

  get place(): Place {
    return this.#cursor.place;
  }

  /**
   * Goes on to a moment that is not earlier, or to the present end where it is null.
   * @param now epoch milliseconds; a time after it has not come yet
   * @throws SignalboxError `no_such_moment`, `log_corrupt`, `log_newer`, `nats_unavailable`, and `replay_diverged` with
   *   a host
   */
  advance(moment: Moment | null, now = Date.now()): Promise<Place> {
    return this.#cursor.advance(moment, now);
  }

  /** Lets go of the source. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cursor.close();
  }
}
