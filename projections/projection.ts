/**
 * What every projection is: a fold over the log.
 *
 * F1 `evolve` is a function of the state and the record alone: no clock, no randomness, no input or output.
 * F2 It is exhaustive over the types of events; the compiler proves it.
 * F3 It owns the state it is given and may change its containers in place; an entry that was handed out is replaced,
 *    never changed, so a reader keeps what was true when it read.
 * F4 A change in what it computes is a new version, and snapshots of the old one are discarded.
 */
import type { StoredRecord } from '../src/contracts/events.ts';

export interface Projection<State> {
  readonly name: string;
  readonly version: number;
  initial(): State;
  evolve(state: State, record: StoredRecord): void;
  /** The state as plain data. Compare by canonical JSON: the order of keys says nothing. */
  toJSON(state: State): unknown;
}

/** A projection that Signalbox itself keeps in memory: settled tasks leave it, and a snapshot brings it back. */
export interface KeptProjection<State> extends Projection<State> {
  /** Lets go of a task, given as `project/task`, that is settled. */
  forget(state: State, task: string): void;
  /** The state that `toJSON` was made of. Trusts its input: a snapshot's bytes are checked by hash. */
  restore(json: unknown): State;
}
