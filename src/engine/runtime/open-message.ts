/** A message of the log while events are added to it, and what it becomes: an entry for the journal. */
import { sha256 } from '../../base/hash.ts';
import type { SignalboxError } from '../../contracts/errors.ts';
import type { DomainEvent, StoredRecord, Transition } from '../../contracts/events/events.ts';
import { eventSubject, type SubjectParts, subjectPartsOfAll } from '../../contracts/messages/subjects.ts';
import { encodeMessage, eventIdOf, eventsOf, type Message } from '../../journal/codec/cloud-event.ts';
import type { JournalEntry } from '../../journal/journal.ts';
import type { Move } from './actor-host.ts';

/** Called when a decision is stored, or when it is unknown whether it will be. */
export interface Waiter {
  stored(record: StoredRecord): void;
  lost(error: SignalboxError): void;
}

type Decided = { -readonly [Key in keyof StoredRecord]: StoredRecord[Key] };
type Awaited = { readonly waiter: Waiter; readonly record: Decided };

export interface LogEntry extends JournalEntry {
  /** Their sequence is 0 until the journal has stored the message. */
  readonly records: Message<Decided>;
  /** Who waits for which of the records. */
  readonly waiters: readonly Awaited[];
  /** SHA-256 (hex) of the bytes. */
  readonly hash: string;
  /** The states of the actors before the events. */
  readonly moves: readonly Move[];
}

/** An event that the machines have taken. */
interface Taken {
  readonly event: DomainEvent;
  readonly json: string;
  readonly transitions: readonly Transition[];
  readonly moves: readonly Move[];
  readonly actor: string;
  readonly cause: string | undefined;
  readonly waiter: Waiter | undefined;
}

/** Bytes that the envelope and the transitions take around the event itself. */
export const ENVELOPE_BYTES = 2_048;
/** Events of one message. */
const MAX_EVENTS = 64;

export class OpenMessage {
  readonly #parts: SubjectParts;
  readonly #time: number;
  readonly #events: { readonly record: Decided; readonly json: string }[] = [];
  readonly #waiters: Awaited[] = [];
  readonly #moves: Move[] = [];
  /** Characters of the events as JSON. */
  #size = 0;

  /** @param parts of the subject of its first event. @param time epoch milliseconds */
  constructor(parts: SubjectParts, time: number) {
    this.#parts = parts;
    this.#time = time;
  }

  /** Whether an event may be added: it is of the same task, and the message does not become too large. */
  takes({ project, entity, id }: SubjectParts, json: string, maxBytes: number): boolean {
    const own = this.#parts;
    if (entity !== 'task' || own.entity !== 'task' || own.id !== id || own.project !== project) return false;
    const count = this.#events.length + 1;
    return count <= MAX_EVENTS && (this.#size + json.length) * 3 + count * ENVELOPE_BYTES <= maxBytes;
  }

  add({ event, json, transitions, moves, actor, cause, waiter }: Taken): void {
    const record: Decided = {
      sequence: 0,
      id: '',
      time: this.#time,
      actor,
      cause,
      previousHash: '',
      left: 0,
      event,
      transitions,
    };
    this.#events.push({ record, json });
    this.#moves.push(...moves);
    this.#size += json.length;
    if (waiter) this.#waiters.push({ waiter, record });
  }

  /** @param previousHash of the message before it in the log */
  encode(id: string, previousHash: string): LogEntry {
    const [first, ...others] = this.#events;
    if (!first) throw new RangeError('a message needs an event');
    for (const [number, { record }] of this.#events.entries()) {
      record.id = eventIdOf(id, number);
      record.previousHash = previousHash;
      record.left = others.length - number;
    }
    const records: Message<Decided> = [first.record, ...others.map(({ record }) => record)];
    const parts = others.length === 0 ? this.#parts : subjectPartsOfAll(eventsOf(records));
    const bytes = Buffer.from(encodeMessage([first, ...others], parts));
    return {
      id,
      subject: eventSubject(parts),
      bytes,
      records,
      waiters: this.#waiters,
      hash: sha256(bytes),
      moves: this.#moves,
    };
  }
}
