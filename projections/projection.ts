/**
 * What every projection is: a fold over the log.
 *
 * Invariant projections/same-from-log: `evolve` depends on the state and the record alone: no clock, no randomness, no
 * input or output. It has a handler for every event about its kind of entity, which the compiler checks.
 *
 * A projection owns its state and may change its containers in place. An entry that was handed out is replaced and never
 * changed, so a reader keeps what was true when it read. Before anything was handed out, as in a rebuild, entries are
 * changed in place, which saves a copy for each event.
 */
import type { DomainEvent, EventOf, EventType, StoredRecord } from '../src/contracts/events/events.ts';

export interface Projection<State> {
  readonly name: string;
  /** A change in what it computes is a new version: snapshots of older ones are discarded. */
  readonly version: number;
  initial(): State;
  evolve(state: State, record: StoredRecord): void;
  /** The state as plain data. Compare by canonical JSON: the order of keys means nothing. */
  toJSON(state: State): unknown;
}

/** Whether a reader may hold entries of a state. */
export type Entries = 'handed out' | 'unseen';

/** An entry while an event is applied to it. */
export type Draft<Entry> = { -readonly [Key in keyof Entry]: Entry[Key] };

/** The object to apply an event to: a copy, or the entry itself if no reader holds it. */
export function draftOf<Entry extends object>(entry: Entry, entries: Entries): Draft<Entry> {
  return entries === 'unseen' ? entry : { ...entry };
}

/** A piece of a state for comparison: its kind, its key within the kind, and the value. */
export type Piece = readonly [part: string, key: string, value: unknown];

/** A projection that Signalbox keeps in memory: settled tasks leave it, and a snapshot restores it. */
export interface KeptProjection<State> extends Projection<State> {
  /** @param entries `handed out` if absent */
  evolve(state: State, record: StoredRecord, entries?: Entries): void;
  /** Removes a settled task, given by its key. */
  forget(state: State, task: string): void;
  /** The state that `toJSON` was made of. Trusts its input: the bytes of a snapshot are checked by hash. */
  restore(json: unknown): State;
  /** What it holds of one task. */
  pieceOf?(state: State, task: string): Piece | null;
  /** Everything else. @param isTask whether `pieceOf` is asked for a task */
  pieces(state: State, isTask: (task: string) => boolean): Iterable<Piece>;
  /** A copy of its containers that shares the entries. A projection with it is also shown as it was in the past. */
  copy?(state: State): State;
}

export type PastProjection<State> = KeptProjection<State> & Required<Pick<KeptProjection<State>, 'copy'>>;

/** A method, so that a table of handlers for some types can be asked with any event: it has none for other types. */
type Handler<Subject, Event> = {
  handle(subject: Subject, event: Event, record: StoredRecord): void;
}['handle'];

/** One function for each of these types of events. */
export type Handlers<Types extends EventType, Subject> = {
  readonly [Type in Types]: Handler<Subject, EventOf<Type>>;
};

/** Handlers by type of event, for a look-up with an event of any type. */
export function tableOf<Types extends EventType, Subject>(
  handlers: Handlers<Types, Subject>,
): ReadonlyMap<string, Handler<Subject, DomainEvent>> {
  return new Map(Object.entries<Handler<Subject, DomainEvent>>(handlers));
}

/** For an event that changes nothing beside the state of the entity. */
export const onlyMoves = (): void => {};

/** The person that an actor names, or the actor as it is. */
export function personOf(actor: string): string {
  return actor.replace(/^user:/, '');
}

/** Who wrote a comment. An agent cannot write in another name: earlier versions stored the name that it gave. */
export function authorOf(author: string, actor: string): string {
  return actor.startsWith('agent:') ? actor.slice('agent:'.length) : author;
}
