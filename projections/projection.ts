/**
 * What every projection is: a fold over the log.
 *
 * F1 `evolve` is a function of the state and the record alone: no clock, no randomness, no input or output.
 * F2 It is exhaustive over the types of events; the compiler proves it.
 * F3 It owns the state it is given and may change its containers in place; an entry that was handed out is replaced,
 *    never changed, so a reader keeps what was true when it read.
 * F4 A change in what it computes is a new version, and snapshots of the old one are discarded.
 * F5 While nobody has been handed an entry yet, as in a rebuild, entries are changed where they stand: that saves a
 *    copy an event. The state after each event is the same either way.
 */
import type { StoredRecord } from '../src/contracts/events/events.ts';

export interface Projection<State> {
  readonly name: string;
  readonly version: number;
  initial(): State;
  evolve(state: State, record: StoredRecord): void;
  /** The state as plain data. Compare by canonical JSON: the order of keys says nothing. */
  toJSON(state: State): unknown;
}

/** Whether somebody may hold entries of a state. Those that nobody has seen may be changed in place (F5). */
export type Entries = 'handed out' | 'unseen';

/** The form that an entry takes next, as long as an event is worked in. */
export type Draft<Entry> = { -readonly [Key in keyof Entry]: Entry[Key] };

/** What an event is to be worked into: a copy, or the entry itself where nobody has seen it (F5). */
export function draftOf<Entry extends object>(entry: Entry, entries: Entries): Draft<Entry> {
  return entries === 'unseen' ? entry : { ...entry };
}

/** A projection that Signalbox itself keeps in memory: settled tasks leave it, and a snapshot brings it back. */
export interface KeptProjection<State> extends Projection<State> {
  /** @param entries `handed out` where it is absent */
  evolve(state: State, record: StoredRecord, entries?: Entries): void;
  /** Lets go of a task, given as `project/task`, that is settled. */
  forget(state: State, task: string): void;
  /** The state that `toJSON` was made of. Trusts its input: a snapshot's bytes are checked by hash. */
  restore(json: unknown): State;
}
