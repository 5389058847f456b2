/**
 * The log in pages, for followers that are behind. Followers that read the same part share it, and only a few parts are
 * read at once: many followers that return after a restart cost little more than one.
 */
import { Lru } from '../../base/lru.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import type { ReadRange } from '../../journal/journal.ts';
import { type FeedEvent, feedEventOf } from './event-window.ts';

interface EventPage {
  readonly events: readonly FeedEvent[];
  readonly upTo: number;
}

/** Pages end at multiples of this, so that followers soon read the same pages. */
const PAGE_EVENTS = 1_024;
/** Characters after which a page ends early. */
const PAGE_SIZE = 1_000_000;
const KEPT_PAGES = 16;
const READERS = 4;

export class EventPages {
  readonly #read: (range: ReadRange) => AsyncIterable<StoredRecord>;
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
    // A page that is not full yet is not cached.
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
      // The next waiting reader takes over.
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
    if (size > PAGE_SIZE && record.left === 0) break;
  }
  return { events, upTo: events.at(-1)?.sequence ?? from - 1 };
}
