/** The newest events, as text: what followers who keep up are served from. Bounded by number and by size. */
import type { StoredRecord } from '../../contracts/events/events.ts';
import { eventJson } from '../tasks/task-json.ts';
import { addressOf, type EventAddress } from './event-filter.ts';

export interface FeedEvent extends EventAddress {
  readonly sequence: number;
  /** The event's own id, unique for ever. */
  readonly id: string;
  /** As `eventAnswerSchema` describes it. */
  readonly json: string;
}

export function feedEventOf(record: StoredRecord): FeedEvent {
  const { sequence, id, event } = record;
  return { ...addressOf(event), sequence, id, json: JSON.stringify(eventJson(record)) };
}

export interface WindowLimits {
  readonly events: number;
  /** Characters of all texts. */
  readonly size: number;
}

export class EventWindow {
  readonly #limits: WindowLimits;
  #events: FeedEvent[] = [];
  /** Those before this index have left the window; they are cut off many at once. */
  #start = 0;
  #size = 0;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
  }

  /** Events come without a gap, or after `clear`. */
  push(event: FeedEvent): void {
    this.#events.push(event);
    this.#size += event.json.length;
    while (this.#length > this.#limits.events || (this.#size > this.#limits.size && this.#length > 1)) {
      this.#size -= this.#events[this.#start++]?.json.length ?? 0;
    }
    if (this.#start > this.#events.length / 2) {
      this.#events = this.#events.slice(this.#start);
      this.#start = 0;
    }
  }

  clear(): void {
    this.#events = [];
    this.#start = 0;
    this.#size = 0;
  }

  /** Whether the event after this sequence, and all that follow, are in the window. */
  goesOnFrom(sequence: number): boolean {
    const first = this.#events[this.#start];
    return first !== undefined && first.sequence <= sequence + 1;
  }

  /** The events after a sequence from which it goes on, some but not beyond `to`. */
  *after(sequence: number, to: number): Iterable<FeedEvent> {
    const first = this.#events[this.#start]?.sequence ?? 0;
    for (let index = this.#start + sequence + 1 - first; ; index++) {
      const event = this.#events[index];
      if (event === undefined || event.sequence > to) return;
      yield event;
    }
  }

  get #length(): number {
    return this.#events.length - this.#start;
  }
}
