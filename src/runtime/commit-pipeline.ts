/**
 * decide → append → acknowledged → visible.
 *
 * C1 A decision is the event itself, sent to the machines; what they refuse leaves no trace.
 * C2 Events are appended in the order in which they were decided, each with the hash of the one before.
 * C3 Only when the journal has stored an event do projections, effects and the caller learn of it, in this order and
 *    in the log's order.
 * C4 A fenced pipeline decides nothing more.
 */
import { encodeRecord } from '../contracts/cloud-event.ts';
import { SignalboxError, unreachable } from '../contracts/errors.ts';
import type { DomainEvent, EventRecord, StoredRecord } from '../contracts/events.ts';
import { sha256 } from '../journal/hash.ts';
import type { Journal, JournalEntry, JournalState } from '../journal/journal.ts';
import { eventSubject } from '../journal/subjects.ts';
import type { ActorHost } from './actor-host.ts';
import type { Clock } from './environment.ts';

/** Who decided, and what led to it. */
export interface Origin {
  readonly actor: string;
  readonly cause?: string;
}

export interface LogEntry extends JournalEntry {
  readonly record: EventRecord;
  readonly stored: (record: StoredRecord) => void;
  readonly lost: (error: SignalboxError) => void;
}

export interface CommitPipelineOptions {
  readonly host: ActorHost;
  readonly clock: Clock;
  /** Unique in the log: the prefix of this writer's event ids. */
  readonly writer: string;
  /** Hash of the log's last message. */
  readonly lastHash: string;
  /** Events that may wait for the journal before new commands are refused. */
  readonly maxBacklog: number;
  /** Called for every stored record: projections first, then effects. */
  readonly onCommitted: (record: StoredRecord) => void;
}

export class CommitPipeline {
  readonly #options: CommitPipelineOptions;
  #journal: Journal<LogEntry> | null = null;
  #hash: string;
  #count = 0;
  #fenced: SignalboxError | null = null;
  /** Decided and not stored yet, so that their callers can be told when it comes to nothing. */
  readonly #waiting = new Set<LogEntry>();

  constructor(options: CommitPipelineOptions) {
    this.#options = options;
    this.#hash = options.lastHash;
  }

  /** From here on the journal is this pipeline's: it must have been taken over with an entry of `prepare`. */
  attach(journal: Journal<LogEntry>): void {
    this.#journal = journal;
  }

  /**
   * Decides an event and hands it to the journal.
   * @returns the record, once it is stored. @throws SignalboxError `illegal_transition`, `log_fenced` at once.
   */
  commit(event: DomainEvent, origin: Origin): Promise<StoredRecord> {
    if (this.#fenced) throw this.#fenced;
    const journal = this.#journal;
    if (!journal) throw new SignalboxError('internal', `${event.type} was decided before the log was open`);
    return new Promise((stored, lost) => {
      const entry = this.prepare(event, origin, stored, lost);
      this.#waiting.add(entry);
      journal.append(entry);
    });
  }

  /** Decides and encodes, without appending. */
  prepare(
    event: DomainEvent,
    origin: Origin,
    stored: (record: StoredRecord) => void,
    lost: (error: SignalboxError) => void,
  ): LogEntry {
    const transitions = this.#options.host.apply(event);
    const record: EventRecord = {
      id: `${this.#options.writer}-${(this.#count++).toString(36)}`,
      time: this.#options.clock.now(),
      actor: origin.actor,
      cause: origin.cause,
      previousHash: this.#hash,
      event,
      transitions,
    };
    const bytes = Buffer.from(encodeRecord(record));
    this.#hash = sha256(bytes);
    return { id: record.id, subject: eventSubject(event), bytes, record, stored, lost };
  }

  onStored(entry: LogEntry, sequence: number): void {
    this.#waiting.delete(entry);
    const record: StoredRecord = { ...entry.record, sequence };
    this.#options.onCommitted(record);
    entry.stored(record);
  }

  onState(state: JournalState): void {
    if (state.kind !== 'fenced') return;
    this.#fenced = state.error;
    for (const entry of this.#waiting) entry.lost(state.error);
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
        throw new SignalboxError('log_unavailable', 'the event log is not open yet: try again in a moment');
      case 'fenced':
        throw state.error;
      default:
        unreachable(state, 'assertWritable');
    }
  }
}
