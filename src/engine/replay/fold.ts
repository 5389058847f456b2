/**
 * Folds projections (those of Signalbox, or your own) over a log: up to its end, or as it grows. A fold has no effects. A state belongs to the sequence beside it: resuming from both applies each event once.
 */
import type { Projection } from '../../../projections/projection.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import type { EventSelection, EventSource, LiveEventSource } from './event-source.ts';
import { ChainCheck, readRecords } from './event-source.ts';

/** A state, and the sequence of the last event in it. */
export interface Folded<State> {
  /** 0 before the first event. */
  readonly sequence: number;
  readonly state: State;
}

export interface FoldOptions<State> extends Omit<EventSelection, 'from'> {
  /** The result of an earlier fold. Its state may be changed in place. */
  readonly resume?: Folded<State>;
}

/**
 * The state after the last selected event.
 * @throws SignalboxError `log_mismatch` for a state that was kept of a longer log, `log_corrupt`, `log_newer`,
 *   `nats_unavailable`, and what the projection throws
 */
export async function fold<State>(
  source: EventSource,
  projection: Projection<State>,
  { resume, ...selection }: FoldOptions<State> = {},
): Promise<Folded<State>> {
  let { sequence, state } = resume ?? beginning(projection);
  await assertReaches(source, sequence);
  for await (const record of readRecords(source, { ...selection, from: sequence + 1 })) {
    projection.evolve(state, record);
    sequence = record.sequence;
  }
  return { sequence, state };
}

export interface FollowOptions<State> extends Omit<FoldOptions<State>, 'to'> {
  readonly signal: AbortSignal;
}

export interface Followed<State> extends Folded<State> {
  /** The events that were stored together: one, or several of a task. */
  readonly records: readonly StoredRecord[];
}

/**
 * The state after every selected message of the log, which has one event or several: first those that are there, then each as it is stored, until the signal is
 * aborted or the loop is left.
 * @throws SignalboxError as `fold`
 */
export async function* follow<State>(
  source: LiveEventSource,
  projection: Projection<State>,
  { resume, signal, ...selection }: FollowOptions<State>,
): AsyncIterableIterator<Followed<State>> {
  const { sequence, state } = resume ?? beginning(projection);
  await assertReaches(source, sequence);
  const chain = new ChainCheck(sequence);
  for await (const message of source.follow({ ...selection, from: sequence + 1 }, signal)) {
    const records = chain.read(message);
    for (const record of records) projection.evolve(state, record);
    yield { sequence: message.sequence, state, records };
  }
}

/** Otherwise events that are stored later at these sequences would be skipped. */
async function assertReaches(source: EventSource, sequence: number): Promise<void> {
  if (sequence === 0) return;
  const last = await source.lastSequence();
  if (sequence <= last) return;
  throw new SignalboxError(
    'log_mismatch',
    `the state is of event ${sequence}, but ${source.name} ends with ${last}: it is of another log, or the log has lost its end`,
    { details: { sequence, last } },
  );
}

function beginning<State>(projection: Projection<State>): Folded<State> {
  return { sequence: 0, state: projection.initial() };
}
