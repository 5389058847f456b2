/**
 * The stages of an event: decided, appended, acknowledged by the journal, visible.
 *
 * Invariant commit-order/decide-once: deciding an event sends it to the machines. An event that they refuse leaves no
 * trace; one that they take is appended once, with the hash of the event before it.
 * Invariant commit-order/visible-after-ack: projections, effects and the caller see an event, in this order, only
 * after the journal has stored it.
 * Invariant commit-order/in-log-order: events are appended and become visible in the order in which they were decided.
 *
 * A pipeline that is fenced or closed decides nothing more, and rejects every decision that is still waiting.
 */

import { EntryQueue } from '../../base/entry-queue.ts';
import type { Clock } from '../../base/environment.ts';
import { sha256 } from '../../base/hash.ts';
import { wellFormedValue } from '../../base/text/well-formed.ts';
import { SignalboxError, unreachable } from '../../contracts/errors.ts';
import { type DomainEvent, declarationOf, type StoredRecord } from '../../contracts/events/events.ts';
import { eventSubject, subjectPartsOf } from '../../contracts/messages/subjects.ts';
import { encodeRecord, GENESIS_HASH } from '../../journal/codec/cloud-event.ts';
import { unwritable } from '../../journal/failures.ts';
import type { Journal, JournalEntry, JournalHandlers, JournalState } from '../../journal/journal.ts';
import type { ActorHost, ActorStates, Move } from './actor-host.ts';
import { BEGINNING, type Rebuilt } from './rebuild.ts';

/** Who decided an event, and what caused it. */
export interface Origin {
  readonly actor: string;
  readonly cause?: string;
}

/** Called when a decision is stored, or when it is unknown whether it will be. */
export interface Waiter {
  stored(record: StoredRecord): void;
  lost(error: SignalboxError): void;
}

type Writable<Record> = { -readonly [Key in keyof Record]: Record[Key] };

export interface LogEntry extends JournalEntry {
  /** Its sequence is 0 until the journal has stored it. */
  readonly record: Writable<StoredRecord>;
  readonly waiter: Waiter | undefined;
  /** SHA-256 (hex) of the bytes. */
  readonly hash: string;
  /** The states of the actors before the event. */
  readonly moves: readonly Move[];
}

export interface CommitPipelineOptions {
  readonly clock: Clock;
  /** Unique in the log: the prefix of this writer's event ids. */
  readonly writer: string;
  /** The number of events that wait for the journal at which new commands are refused. */
  readonly maxBacklog: number;
  /** The largest event in bytes that the log accepts. */
  readonly maxEventBytes: number;
}

/** What a pipeline works on, known once the log has been read. */
export interface PipelineTarget {
  readonly host: ActorHost;
  /** The last message of the log. */
  readonly last: Rebuilt;
  readonly journal: Pick<Journal<LogEntry>, 'append' | 'state' | 'backlog'>;
  /** Called for every stored record, before the caller of `commit` is answered. */
  readonly onCommitted: (record: StoredRecord) => void;
}

/** Bytes that the envelope and the transitions take around the event itself. */
const ENVELOPE_BYTES = 2_048;

export class CommitPipeline implements JournalHandlers<LogEntry> {
  readonly #options: CommitPipelineOptions;
  #target: PipelineTarget | null = null;
  /** Of the last event that was decided. */
  #hash = GENESIS_HASH;
  /** The last event that was stored. */
  #last: Rebuilt = BEGINNING;
  /** Decided, and not stored yet. */
  readonly #underway = new EntryQueue<LogEntry>();
  #count = 0;
  #fenced: SignalboxError | null = null;
  /** Callers whose decisions are not stored yet. */
  readonly #waiting = new Set<Waiter>();

  constructor(options: CommitPipelineOptions) {
    this.#options = options;
  }

  /** Decides nothing before this. The journal must report to this pipeline. */
  attach(target: PipelineTarget): void {
    this.#target = target;
    this.#hash = target.last.hash;
    this.#last = target.last;
  }

  /** Events that are decided and not stored yet. */
  get underway(): number {
    return this.#underway.length;
  }

  /** Bytes of an event as JSON that fit in the log. */
  get maxEventBytes(): number {
    return this.#options.maxEventBytes - ENVELOPE_BYTES;
  }

  /** The last event that was stored. */
  get last(): Rebuilt {
    return this.#last;
  }

  /** The actors as they are in the log, without decisions that are not stored yet. Copies all tables. */
  storedActors(): ActorStates {
    const moves: Move[] = [];
    for (let index = 0; index < this.#underway.length; index++) {
      moves.push(...(this.#underway.at(index)?.moves ?? []));
    }
    return this.#attached().host.statesBefore(moves);
  }

  /**
   * Decides an event and resolves when it is stored.
   * @throws SignalboxError `illegal_transition`, `body_too_large`, `log_fenced`: then nothing was decided
   */
  async commit(event: DomainEvent, origin: Origin): Promise<StoredRecord> {
    return new Promise((stored, lost) => this.decide(event, origin, { stored, lost }));
  }

  /** Decides an event without waiting until it is stored. @throws SignalboxError as `commit` rejects */
  decide(event: DomainEvent, origin: Origin, waiter?: Waiter): void {
    if (this.#fenced) throw this.#fenced;
    const { journal } = this.#attached();
    const entry = this.prepare(event, origin, waiter);
    if (waiter) this.#waiting.add(waiter);
    journal.append(entry);
  }

  /** Decides and encodes an event, without appending it. */
  prepare(given: DomainEvent, origin: Origin, waiter?: Waiter): LogEntry {
    const { clock, writer, maxEventBytes } = this.#options;
    const { host } = this.#attached();
    const [event, eventJson] = jsonOf(given);
    // Checked before the machines move: an event that does not fit must not have happened.
    if (eventJson.length * 3 > maxEventBytes) assertFits(event, eventJson, maxEventBytes);
    const moves: Move[] = [];
    const transitions = host.apply(event, moves);
    const parts = subjectPartsOf(event);
    const record: LogEntry['record'] = {
      sequence: 0,
      id: `${writer}-${(this.#count++).toString(36)}`,
      time: clock.now(),
      actor: origin.actor,
      cause: origin.cause,
      previousHash: this.#hash,
      event,
      transitions,
    };
    const bytes = Buffer.from(encodeRecord(record, parts, eventJson));
    const hash = sha256(bytes);
    this.#hash = hash;
    const entry = { id: record.id, subject: eventSubject(parts), bytes, record, waiter, hash, moves };
    this.#underway.push(entry);
    return entry;
  }

  onStored({ id, record, waiter, hash }: LogEntry, sequence: number): void {
    record.sequence = sequence;
    this.#underway.shift();
    this.#last = { tip: { sequence, id }, hash };
    this.#attached().onCommitted(record);
    if (!waiter) return;
    this.#waiting.delete(waiter);
    waiter.stored(record);
  }

  onState(state: JournalState): void {
    if (state.kind === 'fenced') this.#end(state.error);
  }

  /** Call it when the journal is closed. */
  close(): void {
    const stopped = 'Signalbox has stopped; whether this was still recorded can be read when it is up again';
    this.#end(new SignalboxError('shutting_down', stopped));
  }

  #attached(): PipelineTarget {
    if (!this.#target) throw new SignalboxError('internal', 'the event log was used before it was open');
    return this.#target;
  }

  #end(error: SignalboxError): void {
    this.#fenced ??= error;
    for (const waiter of this.#waiting) waiter.lost(this.#fenced);
    this.#waiting.clear();
  }

  /** @throws SignalboxError `log_unavailable`, `overloaded`, `log_fenced` if no new command can be decided now */
  assertWritable(): void {
    const { journal } = this.#attached();
    const { state } = journal;
    switch (state.kind) {
      case 'open': {
        const { backlog } = journal;
        if (backlog < this.#options.maxBacklog) return;
        throw new SignalboxError('overloaded', `${backlog} events wait for the log: try again in a moment`);
      }
      case 'resyncing':
        throw new SignalboxError('log_unavailable', unwritable(state.reason));
      case 'reader':
        throw new SignalboxError('log_unavailable', 'the event log is not open: try again in a moment');
      case 'fenced':
        throw state.error;
      default:
        unreachable(state, 'assertWritable');
    }
  }
}

/** JSON has half of a surrogate pair only as an escape. */
const SURROGATE_ESCAPE = '\\ud';

/**
 * The event with its JSON. What a program prints, or a function returns, may hold halves of surrogate pairs, which no
 * UTF-8 can: they are replaced here, so that the log, the state and every answer have the same text.
 */
function jsonOf(event: DomainEvent): [DomainEvent, string] {
  const json = JSON.stringify(event);
  if (!json.includes(SURROGATE_ESCAPE)) return [event, json];
  const kept = declarationOf(event.type).schema.parse(wellFormedValue(event));
  return [kept, JSON.stringify(kept)];
}

/** What the sender of a large event can do. */
function smallerText({ type }: DomainEvent): string {
  switch (type) {
    case 'task.output_added':
      return 'pass large content as "content_path"';
    case 'task.created':
      return 'shorten "description", "params" or "follow_ups", and name a file or an address that the agent can read';
    default:
      return 'shorten the text';
  }
}

function assertFits(event: DomainEvent, eventJson: string, maxEventBytes: number): void {
  const bytes = Buffer.byteLength(eventJson) + ENVELOPE_BYTES;
  if (bytes <= maxEventBytes) return;
  throw new SignalboxError(
    'body_too_large',
    `this takes ${bytes} bytes in the log, and the NATS server takes ${maxEventBytes} at most (max_payload): ${smallerText(event)}`,
    { details: { bytes, limit: maxEventBytes } },
  );
}
