/**
 * The log as it grows, for many followers at once: what they ask for from the log, then live.
 *
 * F1 A follower gets every event that it asked for once, in the log's order, without a gap between history and live: it
 *    is nothing but a position that moves on.
 * F2 A follower that is slow costs no memory: it reads on where it stopped, from the window of the newest events or from
 *    the log. What is kept for all together is bounded.
 * F3 Each event is turned into text once, however many follow; equal filters at equal positions share their batches.
 */
import { SignalboxError } from '../../contracts/errors.ts';
import { projectId, taskId } from '../../contracts/ids.ts';
import type { Needs } from '../context.ts';
import { type EventFilter, keyOf, matcherOf } from './event-filter.ts';
import { EventPages } from './event-pages.ts';
import { EventWindow, type FeedEvent, feedEventOf } from './event-window.ts';

export { type FeedEvent, feedEventOf } from './event-window.ts';

export interface Batch {
  readonly events: readonly FeedEvent[];
  /** Up to here there is no event that the filter lets through, beside these. */
  readonly upTo: number;
}

export interface FollowRequest {
  /** Sequence of the last event that the follower knows; the newest where it is absent. */
  readonly after?: number | undefined;
  readonly filter: EventFilter;
  /** Ends it. */
  readonly signal: AbortSignal;
}

export interface Follower extends AsyncIterable<Batch> {
  /** Everything up to here was handed out. */
  readonly position: number;
}

export interface FeedSettings {
  /** Events and characters that are kept for who keeps up. */
  readonly windowEvents: number;
  readonly windowSize: number;
  /** Milliseconds between two batches of the same follower: what comes meanwhile goes out together. */
  readonly intervalMs: number;
}

const SETTINGS: FeedSettings = { windowEvents: 32_768, windowSize: 24_000_000, intervalMs: 50 };
/** Characters after which a batch ends: what a follower is sent at once. */
const BATCH_SIZE = 64_000;
/** Followers that are served without a pause for everything else that this process has to do. */
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
  /** Of this moment: emptied when followers may see more. */
  readonly #batches = new Map<string, Batch>();
  #followers = 0;
  /** What followers may see; a little behind the log, so that they see the same. */
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
    this.#stop = app.log.onRecord((record) => {
      if (this.#followers === 0) return;
      this.#window.push(feedEventOf(record));
      this.#cancelFlush ??= app.environment.clock.schedule(this.#settings.intervalMs, () => this.#flush());
    });
    app.log.closed.addEventListener('abort', () => this.close(), { once: true });
  }

  get followers(): number {
    return this.#followers;
  }

  /** Sequence of the newest event. */
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
        `event ${after} is not in the log, which ends at ${this.end}: it is not the log that you have followed`,
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
    // While nobody followed, nothing was noted.
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
        // Whom the signal has woken is still among them.
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
      return this.#fromHistory(position, project, task, filter);
    const page = await this.#pages.after(position, to);
    if (page.upTo === position) {
      throw new SignalboxError(
        'log_corrupt',
        `event ${position + 1} was stored, and the log does not have it`,
      );
    }
    return { events: page.events.filter(matches), upTo: page.upTo };
  }

  #fromWindow(position: number, filter: EventFilter): Batch {
    const key = `${position} ${keyOf(filter)}`;
    const known = this.#batches.get(key);
    if (known) return known;
    const matches = matcherOf(filter);
    const events: FeedEvent[] = [];
    let upTo = position;
    let size = 0;
    for (const event of this.#window.after(position, this.#visible)) {
      upTo = event.sequence;
      if (!matches(event)) continue;
      events.push(event);
      size += event.json.length;
      if (size > BATCH_SIZE) break;
    }
    const batch = { events, upTo };
    this.#batches.set(key, batch);
    return batch;
  }

  /** A task's own part of the log is short, and found by its subject. */
  async #fromHistory(position: number, project: string, task: string, filter: EventFilter): Promise<Batch> {
    const upTo = this.#visible;
    const matches = matcherOf(filter);
    const events: FeedEvent[] = [];
    for await (const record of this.#app.log.history(projectId(project), taskId(task))) {
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
