/**
 * The stages of an event: decided, appended, acknowledged by the journal, visible.
 *
 * Invariant commit-order/decide-once: deciding an event sends it to the machines. An event that they refuse leaves no
 * trace; one that they take is appended once, with the hash of the event before it.
 * Invariant commit-order/visible-after-ack: projections, effects and the caller see an event, in this order, only
 * after the journal has stored it.
 * Invariant commit-order/in-log-order: events are appended and become visible in the order in which they were decided.
 *
 * Events of one task that are decided together are one message: they are stored together or not at all, and become visible
 * at the same moment. What follows at once from an event (`onDecided`) is decided with it.
 *
 * A pipeline that is fenced or closed decides nothing more, and rejects every decision that is still waiting.
 */

import { EntryQueue } from '../../base/entry-queue.ts';
import type { Clock } from '../../base/environment.ts';
import { wellFormedValue } from '../../base/text/well-formed.ts';
import { SignalboxError, unreachable } from '../../contracts/errors.ts';
import { type DomainEvent, declarationOf, type StoredRecord } from '../../contracts/events/events.ts';
import { subjectPartsOf } from '../../contracts/messages/subjects.ts';
import { GENESIS_HASH, type Message } from '../../journal/codec/cloud-event.ts';
import { unwritable } from '../../journal/failures.ts';
import type { Journal, JournalHandlers, JournalState } from '../../journal/journal.ts';
import type { ActorHost, ActorStates, Move } from './actor-host.ts';
import { ENVELOPE_BYTES, type LogEntry, OpenMessage, type Waiter } from './open-message.ts';
import { BEGINNING, type Rebuilt } from './rebuild.ts';

export type { LogEntry, Waiter } from './open-message.ts';

/** Who decided an event, and what caused it. */
export interface Origin {
  readonly actor: string;
  readonly cause?: string;
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
  /** Called for every stored message, before the callers of `commit` are answered. */
  readonly onCommitted: (records: Message<StoredRecord>) => void;
  /** Called for every event that was decided. What it decides of the same task is stored with the event. */
  readonly onDecided?: (event: DomainEvent) => void;
}

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
  /** Calls of `together` that are under way. */
  #depth = 0;
  #open: OpenMessage | null = null;
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

  /** Whether it is fenced or closed. */
  get isOver(): boolean {
    return this.#fenced !== null;
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
    this.together(() => {
      const kept = this.#add(event, origin, waiter);
      if (waiter) this.#waiting.add(waiter);
      this.#attached().onDecided?.(kept);
    });
  }

  /** Stores what the function decides of one task as one message, as far as it fits. */
  together<Result>(decideAll: () => Result): Result {
    this.#depth++;
    try {
      return decideAll();
    } finally {
      if (--this.#depth === 0) this.#send();
    }
  }

  /** Decides and encodes an event, without appending it. */
  prepare(event: DomainEvent, origin: Origin): LogEntry {
    this.#add(event, origin);
    const entry = this.#close();
    if (!entry) throw new SignalboxError('internal', `${event.type} was decided and is in no message`);
    return entry;
  }

  /** @returns the event as it is kept */
  #add(given: DomainEvent, { actor, cause }: Origin, waiter?: Waiter): DomainEvent {
    const { clock, maxEventBytes } = this.#options;
    const [event, json] = jsonOf(given);
    // Checked before the machines move: an event that does not fit must not have happened.
    if (json.length * 3 > maxEventBytes) assertFits(event, json, maxEventBytes);
    const moves: Move[] = [];
    const transitions = this.#attached().host.apply(event, moves);
    const parts = subjectPartsOf(event);
    if (this.#open && !this.#open.takes(parts, json, maxEventBytes)) this.#send();
    this.#open ??= new OpenMessage(parts, clock.now());
    this.#open.add({ event, actor, cause, transitions, json, moves, waiter });
    return event;
  }

  /** Appends the open message. */
  #send(): void {
    const entry = this.#close();
    if (entry) this.#attached().journal.append(entry);
  }

  /** Ends the open message and encodes it; null if there is none. */
  #close(): LogEntry | null {
    const open = this.#open;
    if (!open) return null;
    this.#open = null;
    const entry = open.encode(`${this.#options.writer}-${(this.#count++).toString(36)}`, this.#hash);
    this.#hash = entry.hash;
    this.#underway.push(entry);
    return entry;
  }

  onStored({ id, records, waiters, hash }: LogEntry, sequence: number): void {
    for (const record of records) record.sequence = sequence;
    this.#underway.shift();
    this.#last = { tip: { sequence, id }, hash };
    this.#attached().onCommitted(records);
    for (const { waiter, record } of waiters) {
      this.#waiting.delete(waiter);
      waiter.stored(record);
    }
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
