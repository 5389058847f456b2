/**
 * decide → append → acknowledged → visible.
 *
 * C1 A decision is the event itself, sent to the machines; what they refuse leaves no trace.
 * C2 Events are appended in the order in which they were decided, each with the hash of the one before.
 * C3 Only when the journal has stored an event do projections, effects and the caller learn of it, in this order and
 *    in the log's order.
 * C4 A pipeline that is fenced or closed decides nothing more, and leaves nobody waiting.
 */

import type { Clock } from '../../base/environment.ts';
import { sha256 } from '../../base/hash.ts';
import { SignalboxError, unreachable } from '../../contracts/errors.ts';
import { encodeRecord, filingOf } from '../../contracts/events/cloud-event.ts';
import type { DomainEvent, StoredRecord } from '../../contracts/events/events.ts';
import { eventSubject } from '../../contracts/messages/subjects.ts';
import { EntryQueue } from '../../journal/entry-queue.ts';
import type { Journal, JournalEntry, JournalState } from '../../journal/journal.ts';
import type { ActorHost, ActorStates, Move } from './actor-host.ts';
import type { Rebuilt } from './rebuild.ts';

/** Who decided, and what led to it. */
export interface Origin {
  readonly actor: string;
  readonly cause?: string;
}

/** Told how a decision came out; absent where nobody waits for it. */
export interface Waiter {
  stored(record: StoredRecord): void;
  lost(error: SignalboxError): void;
}

type Writable<Record> = { -readonly [Key in keyof Record]: Record[Key] };

export interface LogEntry extends JournalEntry {
  /** Its sequence is 0 until the journal has stored it; nobody sees it before. */
  readonly record: Writable<StoredRecord>;
  readonly waiter: Waiter | undefined;
  /** SHA-256 (hex) of the bytes. */
  readonly hash: string;
  /** What the event did to the actors. */
  readonly moves: readonly Move[];
}

export interface CommitPipelineOptions {
  readonly host: ActorHost;
  readonly clock: Clock;
  /** Unique in the log: the prefix of this writer's event ids. */
  readonly writer: string;
  /** The log's last message. */
  readonly last: Rebuilt;
  /** Events that may wait for the journal before new commands are refused. */
  readonly maxBacklog: number;
  /** Largest event in bytes that the log takes. */
  readonly maxEventBytes: number;
  /** Called for every stored record: projections first, then effects. */
  readonly onCommitted: (record: StoredRecord) => void;
}

/** What the envelope and the transitions take around the event itself. */
const ENVELOPE_BYTES = 2_048;

export class CommitPipeline {
  readonly #options: CommitPipelineOptions;
  #journal: Journal<LogEntry> | null = null;
  /** Of the last event that was decided. */
  #hash: string;
  /** The last event that was stored. */
  #last: Rebuilt;
  /** Decided, and not stored yet. */
  readonly #underway = new EntryQueue<LogEntry>();
  #count = 0;
  #fenced: SignalboxError | null = null;
  /** Whose decisions are not stored yet, so that they can be told when it comes to nothing. */
  readonly #waiting = new Set<Waiter>();

  constructor(options: CommitPipelineOptions) {
    this.#options = options;
    this.#hash = options.last.hash;
    this.#last = options.last;
  }

  /** Events that are decided and not stored yet. */
  get underway(): number {
    return this.#underway.length;
  }

  /** The last event that was stored. */
  get last(): Rebuilt {
    return this.#last;
  }

  /** The actors as they are in the log: without what is decided and not stored yet. Costs a copy of the tables. */
  storedActors(): ActorStates {
    const moves: Move[] = [];
    for (let index = 0; index < this.#underway.length; index++) {
      moves.push(...(this.#underway.at(index)?.moves ?? []));
    }
    return this.#options.host.statesBefore(moves);
  }

  /** From here on the journal is this pipeline's: it must have been taken over with an entry of `prepare`. */
  attach(journal: Journal<LogEntry>): void {
    this.#journal = journal;
  }

  /**
   * Decides an event, and tells when it is stored.
   * @throws SignalboxError `illegal_transition`, `body_too_large`, `log_fenced`: then nothing was decided
   */
  async commit(event: DomainEvent, origin: Origin): Promise<StoredRecord> {
    return new Promise((stored, lost) => this.decide(event, origin, { stored, lost }));
  }

  /** The same for those who do not wait. @throws SignalboxError as `commit` rejects */
  decide(event: DomainEvent, origin: Origin, waiter?: Waiter): void {
    if (this.#fenced) throw this.#fenced;
    const journal = this.#journal;
    if (!journal) throw new SignalboxError('internal', `${event.type} was decided before the log was open`);
    const entry = this.prepare(event, origin, waiter);
    if (waiter) this.#waiting.add(waiter);
    journal.append(entry);
  }

  /** Decides and encodes, without appending. */
  prepare(event: DomainEvent, origin: Origin, waiter?: Waiter): LogEntry {
    const { host, clock, writer, maxEventBytes } = this.#options;
    const eventJson = JSON.stringify(event);
    // Before the machines hear of it: an event that does not fit must not have happened.
    if (eventJson.length * 3 > maxEventBytes) assertFits(eventJson, maxEventBytes);
    const moves: Move[] = [];
    const transitions = host.apply(event, moves);
    const filing = filingOf(event);
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
    const bytes = Buffer.from(encodeRecord(record, filing, eventJson));
    const hash = sha256(bytes);
    this.#hash = hash;
    const entry = { id: record.id, subject: eventSubject(filing), bytes, record, waiter, hash, moves };
    this.#underway.push(entry);
    return entry;
  }

  onStored({ id, record, waiter, hash }: LogEntry, sequence: number): void {
    record.sequence = sequence;
    this.#underway.shift();
    this.#last = { tip: { sequence, id }, hash };
    this.#options.onCommitted(record);
    if (!waiter) return;
    this.#waiting.delete(waiter);
    waiter.stored(record);
  }

  onState(state: JournalState): void {
    if (state.kind === 'fenced') this.#end(state.error);
  }

  /** To be called when the journal is closed: decides nothing more, and leaves nobody waiting. */
  close(): void {
    const stopped = 'Signalbox has stopped; whether this was still recorded can be read when it is up again';
    this.#end(new SignalboxError('shutting_down', stopped));
  }

  #end(error: SignalboxError): void {
    this.#fenced ??= error;
    for (const waiter of this.#waiting) waiter.lost(this.#fenced);
    this.#waiting.clear();
  }

  /** @throws SignalboxError `log_unavailable`, `overloaded`, `log_fenced` where a new command must wait. */
  assertWritable(): void {
    const state = this.#journal?.state ?? { kind: 'reader' };
    switch (state.kind) {
      case 'open': {
        const backlog = this.#journal?.backlog ?? 0;
        if (backlog < this.#options.maxBacklog) return;
        throw new SignalboxError('overloaded', `${backlog} events wait for the log: try again in a moment`);
      }
      case 'resyncing':
        throw new SignalboxError(
          'log_unavailable',
          `the event log cannot be written at the moment (${state.reason}): try again in a moment`,
        );
      case 'reader':
        throw new SignalboxError('log_unavailable', 'the event log is not open: try again in a moment');
      case 'fenced':
        throw state.error;
      default:
        unreachable(state, 'assertWritable');
    }
  }
}

function assertFits(eventJson: string, maxEventBytes: number): void {
  const bytes = Buffer.byteLength(eventJson) + ENVELOPE_BYTES;
  if (bytes <= maxEventBytes) return;
  throw new SignalboxError(
    'body_too_large',
    `${bytes} bytes do not fit in one event of the log (${maxEventBytes}): give large content as "content_path"`,
  );
}
