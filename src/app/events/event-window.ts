/** Events of the feed: filters, and a bounded window of the newest events as text. */
import type { DomainEvent, StoredRecord } from '../../contracts/events/events.ts';
import { eventJson } from '../tasks/task-json.ts';

export interface EventFilter {
  readonly project?: string | undefined;
  readonly task?: string | undefined;
  /** Types, or prefixes of types as in `task.*`; default: all. */
  readonly types?: readonly string[] | undefined;
}

interface EventAddress {
  readonly type: string;
  /** null for events of no project. */
  readonly project: string | null;
  readonly task: string | null;
}

function addressOf(event: DomainEvent): EventAddress {
  if ('task' in event) return { type: event.type, project: event.project, task: event.task };
  return { type: event.type, project: null, task: null };
}

/** Equal filters have equal keys. */
export function keyOf({ project = '', task = '', types = [] }: EventFilter): string {
  return JSON.stringify([project, task, [...types].sort()]);
}

export function matcherOf({ project, task, types }: EventFilter): (event: EventAddress) => boolean {
  const exact = new Set(types?.filter((type) => !type.endsWith('*')));
  const prefixes = types?.filter((type) => type.endsWith('*')).map((type) => type.slice(0, -1)) ?? [];
  return (event) =>
    (project === undefined || event.project === project) &&
    (task === undefined || event.task === task) &&
    (types === undefined ||
      exact.has(event.type) ||
      prefixes.some((prefix) => event.type.startsWith(prefix)));
}

export interface FeedEvent extends EventAddress {
  readonly sequence: number;
  /** The id of the event, unique in the log. */
  readonly id: string;
  /** As `eventAnswerSchema` describes it. */
  readonly json: string;
}

export function feedEventOf(record: StoredRecord): FeedEvent {
  const { sequence, id, event } = record;
  return { ...addressOf(event), sequence, id, json: JSON.stringify(eventJson(record)) };
}

interface WindowLimits {
  readonly events: number;
  /** Characters of all texts together. */
  readonly size: number;
}

export class EventWindow {
  readonly #limits: WindowLimits;
  #events: FeedEvent[] = [];
  /** Events before this index have left the window; they are cut off in batches. */
  #start = 0;
  #size = 0;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
  }

  /** Events must come without a gap, except after `clear`. */
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

  /** Whether all events after this sequence are in the window. */
  goesOnFrom(sequence: number): boolean {
    const first = this.#events[this.#start];
    return first !== undefined && first.sequence <= sequence + 1;
  }

  /** The events after a sequence, up to `to`. */
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
