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
  /** The id of the event, unique in the log. The sequence is not: events of a task may be stored as one message. */
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

/** Whether no event of the same message follows in the list: then a follower may note its position. */
export function isLastOfMessage(events: readonly FeedEvent[], index: number): boolean {
  return events[index]?.sequence !== events[index + 1]?.sequence;
}

/** The events of one message of the log. */
export interface FeedMessage {
  readonly sequence: number;
  readonly events: readonly FeedEvent[];
}

export class EventWindow {
  readonly #limits: WindowLimits;
  #messages: FeedMessage[] = [];
  /** Messages before this index have left the window; they are cut off in batches. */
  #start = 0;
  #size = 0;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
  }

  /** Messages must come without a gap, except after `clear`. */
  push(message: FeedMessage): void {
    this.#messages.push(message);
    this.#size += sizeOf(message);
    while (this.#length > this.#limits.events || (this.#size > this.#limits.size && this.#length > 1)) {
      const first = this.#messages[this.#start++];
      this.#size -= first ? sizeOf(first) : 0;
    }
    if (this.#start > this.#messages.length / 2) {
      this.#messages = this.#messages.slice(this.#start);
      this.#start = 0;
    }
  }

  clear(): void {
    this.#messages = [];
    this.#start = 0;
    this.#size = 0;
  }

  /** Whether all events after this sequence are in the window. */
  goesOnFrom(sequence: number): boolean {
    const first = this.#messages[this.#start];
    return first !== undefined && first.sequence <= sequence + 1;
  }

  /** The messages after a sequence, up to `to`. */
  *after(sequence: number, to: number): Iterable<FeedMessage> {
    const first = this.#messages[this.#start]?.sequence ?? 0;
    for (let index = this.#start + sequence + 1 - first; ; index++) {
      const message = this.#messages[index];
      if (message === undefined || message.sequence > to) return;
      yield message;
    }
  }

  get #length(): number {
    return this.#messages.length - this.#start;
  }
}

function sizeOf({ events }: FeedMessage): number {
  return events.reduce((sum, { json }) => sum + json.length, 0);
}
