/**
 * The log in pages, for followers who are behind. Who reads the same part at the same time shares it, and only a few
 * parts are read at once: a crowd that comes back after a restart costs little more than one.
 */
import { Lru } from '../../base/lru.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import type { ReadRange } from '../../journal/journal.ts';
import { type FeedEvent, feedEventOf } from './event-window.ts';

export interface EventPage {
  readonly events: readonly FeedEvent[];
  /** Sequence of the last event that was looked at. */
  readonly upTo: number;
}

/** Pages end at multiples of this: followers that begin anywhere soon ask for the same ones. */
const PAGE_EVENTS = 1_024;
/** Characters after which a page ends early: single events may be large. */
const PAGE_SIZE = 1_000_000;
const KEPT_PAGES = 16;
const READERS = 4;

export class EventPages {
  readonly #read: (range: ReadRange) => AsyncIterable<StoredRecord>;
  /** By first sequence; the one that was asked for last is the last. */
  readonly #pages = new Lru<number, Promise<EventPage>>(KEPT_PAGES);
  readonly #waiting: (() => void)[] = [];
  #reading = 0;

  constructor(read: (range: ReadRange) => AsyncIterable<StoredRecord>) {
    this.#read = read;
  }

  /** The events after a sequence, at most up to `to`. @throws what reading the log throws */
  after(sequence: number, to: number): Promise<EventPage> {
    const from = sequence + 1;
    const end = (Math.floor(sequence / PAGE_EVENTS) + 1) * PAGE_EVENTS;
    // One that is not full yet will be another soon.
    if (end > to) return this.#load(from, to);
    const page = this.#pages.get(from) ?? this.#load(from, end);
    this.#pages.set(from, page);
    page.catch(() => this.#pages.delete(from));
    return page;
  }

  async #load(from: number, to: number): Promise<EventPage> {
    if (this.#reading >= READERS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#reading++;
    try {
      return await readPage(this.#read({ from, to }), from);
    } finally {
      // The place goes to the next one who waits.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#reading--;
    }
  }
}

async function readPage(records: AsyncIterable<StoredRecord>, from: number): Promise<EventPage> {
  const events: FeedEvent[] = [];
  let size = 0;
  for await (const record of records) {
    const event = feedEventOf(record);
    events.push(event);
    size += event.json.length;
    if (size > PAGE_SIZE) break;
  }
  return { events, upTo: events.at(-1)?.sequence ?? from - 1 };
}
