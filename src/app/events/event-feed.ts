/**
 * The feed of events for many followers at once: first from the log, then live.
 *
 * A follower is only a position: it gets every selected event once, in the order of the log, without a gap between
 * history and live. A slow follower costs no memory: it reads on from the window of the newest events or from the log.
 * Each event becomes text once for all followers; equal filters at equal positions share their batches.
 */
import { SignalboxError } from '../../contracts/errors.ts';
import type { TaskRef } from '../../contracts/ids.ts';
import { damaged } from '../../journal/failures.ts';
import type { Needs } from '../context.ts';
import { EventPages } from './event-pages.ts';
import {
  type EventFilter,
  EventWindow,
  type FeedEvent,
  feedEventOf,
  keyOf,
  matcherOf,
} from './event-window.ts';

export { type FeedEvent, feedEventOf, isLastOfMessage } from './event-window.ts';

export interface Batch {
  /** Whole messages: all their events that pass the filter. */
  readonly events: readonly FeedEvent[];
  /** Up to this sequence no other event passes the filter. */
  readonly upTo: number;
}

interface FollowRequest {
  /** Sequence of the last event that the follower knows; default: the newest one. */
  readonly after?: number | undefined;
  readonly filter: EventFilter;
  readonly signal: AbortSignal;
}

export interface Follower extends AsyncIterable<Batch> {
  /** Everything up to this sequence was yielded. */
  readonly position: number;
}

export interface FeedSettings {
  readonly windowEvents: number;
  readonly windowSize: number;
  /** Milliseconds between two batches of a follower. */
  readonly intervalMs: number;
}

const SETTINGS: FeedSettings = { windowEvents: 32_768, windowSize: 24_000_000, intervalMs: 50 };
/** Characters after which a batch ends. */
const BATCH_SIZE = 64_000;
/** Followers that are woken without a pause for other work. */
const WOKEN_AT_ONCE = 25;

type FeedSources = Needs<
  'state.projections' | 'log.onRecord' | 'log.read' | 'log.history' | 'log.closed' | 'environment'
>;

export class EventFeed {
  readonly #app: FeedSources;
  readonly #settings: FeedSettings;
  readonly #window: EventWindow;
  readonly #pages: EventPages;
  readonly #stop: () => void;
  readonly #waiting = new Set<() => void>();
  /** Batches that followers share, until more events are visible. */
  readonly #batches = new Map<string, Batch>();
  #followers = 0;
  /** The last sequence that followers see: a little behind the log, so that all see the same. */
  #visible: number;
  #cancelFlush: (() => void) | null = null;
  #wakeMore: NodeJS.Immediate | undefined;

  constructor(app: FeedSources, settings: Partial<FeedSettings> = {}) {
    this.#app = app;
    this.#settings = { ...SETTINGS, ...settings };
    this.#window = new EventWindow({
      events: this.#settings.windowEvents,
      size: this.#settings.windowSize,
    });
    this.#pages = new EventPages(app.log.read);
    this.#visible = app.state.projections.sequence;
    let message: FeedEvent[] = [];
    this.#stop = app.log.onRecord((record) => {
      if (this.#followers === 0) return;
      message.push(feedEventOf(record));
      if (record.left > 0) return;
      this.#window.push({ sequence: record.sequence, events: message });
      message = [];
      this.#cancelFlush ??= app.environment.clock.schedule(this.#settings.intervalMs, () => this.#flush());
    });
    app.log.closed.addEventListener('abort', () => this.close(), { once: true });
  }

  get followers(): number {
    return this.#followers;
  }

  get end(): number {
    return this.#app.state.projections.sequence;
  }

  /**
   * @throws SignalboxError `invalid_request` for a position that the log has not reached; while it is read,
   * `nats_unavailable`, `log_corrupt`
   */
  follow({ after = this.end, filter, signal }: FollowRequest): Follower {
    if (after > this.end) {
      throw new SignalboxError(
        'invalid_request',
        `event ${after} is not in the log, which ends at ${this.end}: this is not the log that you have followed`,
        { details: { after, end: this.end } },
      );
    }
    const state = { position: after };
    return {
      get position() {
        return state.position;
      },
      [Symbol.asyncIterator]: () => this.#batchesFor(state, filter, signal),
    };
  }

  /**
   * Reads the first events after a position, so that a log that cannot be read there is an error and no silence.
   * @throws SignalboxError `log_corrupt`, `nats_unavailable`
   */
  async assertReadable(after = this.end): Promise<void> {
    const { end } = this;
    if (after < end && !this.#window.goesOnFrom(after)) await this.#page(after, end);
  }

  close(): void {
    this.#stop();
    this.#cancelFlush?.();
    this.#wake();
  }

  async *#batchesFor(
    state: { position: number },
    filter: EventFilter,
    signal: AbortSignal,
  ): AsyncGenerator<Batch, void, void> {
    const isEnded = (): boolean => signal.aborted || this.#app.log.closed.aborted;
    let wake = (): void => {};
    const onAbort = (): void => wake();
    signal.addEventListener('abort', onAbort, { once: true });
    // Without followers the window was not filled.
    if (this.#followers++ === 0) this.#visible = this.end;
    try {
      while (!isEnded()) {
        if (state.position < this.#visible) {
          const batch = await this.#next(state.position, filter);
          if (isEnded()) return;
          state.position = batch.upTo;
          if (batch.events.length > 0) yield batch;
          continue;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
          this.#waiting.add(resolve);
        });
        // After an abort it is still in the set.
        this.#waiting.delete(wake);
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#followers--;
      if (this.#followers === 0) this.#window.clear();
    }
  }

  async #next(position: number, filter: EventFilter): Promise<Batch> {
    if (this.#window.goesOnFrom(position)) return this.#fromWindow(position, filter);
    const { project, task } = filter;
    const matches = matcherOf(filter);
    const to = this.#visible;
    if (project !== undefined && task !== undefined)
      return this.#fromHistory(position, { project, task }, filter);
    const page = await this.#page(position, to);
    return { events: page.events.filter(matches), upTo: page.upTo };
  }

  async #page(position: number, to: number): Promise<Batch> {
    const page = await this.#pages.after(position, to);
    if (page.upTo === position) {
      throw damaged(position + 1, `event ${position + 1} was stored, but the log does not have it`);
    }
    return page;
  }

  #fromWindow(position: number, filter: EventFilter): Batch {
    const key = `${position} ${keyOf(filter)}`;
    const known = this.#batches.get(key);
    if (known) return known;
    const matches = matcherOf(filter);
    const events: FeedEvent[] = [];
    let upTo = position;
    let size = 0;
    for (const message of this.#window.after(position, this.#visible)) {
      upTo = message.sequence;
      for (const event of message.events) {
        if (!matches(event)) continue;
        events.push(event);
        size += event.json.length;
      }
      if (size > BATCH_SIZE) break;
    }
    const batch = { events, upTo };
    this.#batches.set(key, batch);
    return batch;
  }

  /** The events of a task are few, and read by its subject. */
  async #fromHistory(position: number, task: TaskRef, filter: EventFilter): Promise<Batch> {
    const upTo = this.#visible;
    const matches = matcherOf(filter);
    const events: FeedEvent[] = [];
    for await (const record of this.#app.log.history(task)) {
      if (record.sequence <= position || record.sequence > upTo) continue;
      const event = feedEventOf(record);
      if (matches(event)) events.push(event);
    }
    return { events, upTo };
  }

  #flush(): void {
    this.#cancelFlush = null;
    this.#visible = this.#app.state.projections.sequence;
    this.#batches.clear();
    this.#wake();
  }

  #wake(): void {
    let woken = 0;
    for (const wake of this.#waiting) {
      if (woken++ === WOKEN_AT_ONCE) {
        this.#wakeMore ??= setImmediate(() => {
          this.#wakeMore = undefined;
          this.#wake();
        });
        return;
      }
      this.#waiting.delete(wake);
      wake();
    }
  }
}
