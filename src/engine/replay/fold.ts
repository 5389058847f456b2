/**
 * Projections over a log, one's own as well as Signalbox's: at any moment, and as the log grows.
 *
 * FO1 No effect runs: a fold calls the projection and nothing else.
 * FO2 A state belongs to the sequence beside it. Whoever keeps both goes on from there, and sees each event once.
 */
import type { Projection } from '../../../projections/projection.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { ChainCheck, readRecords } from './cursor.ts';
import type { EventSelection, EventSource, LiveEventSource } from './event-source.ts';

/** A state, and the last event that is in it. */
export interface Folded<State> {
  /** 0 before the first event. */
  readonly sequence: number;
  readonly state: State;
}

export interface FoldOptions<State> extends Omit<EventSelection, 'from'> {
  /** What was kept from an earlier fold. Its state is given over: the projection may change it in place (F3). */
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
  /** Ends the loop when it is aborted. */
  readonly signal: AbortSignal;
}

/** A state with the event that led to it. */
export interface Followed<State> extends Folded<State> {
  readonly record: StoredRecord;
}

/**
 * The state after every selected event: first those that are there, then each as it is stored, until the signal is
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
    const record = chain.read(message);
    projection.evolve(state, record);
    yield { sequence: record.sequence, state, record };
  }
}

/** Else what is stored one day at these places would be left out without a word. */
async function assertReaches(source: EventSource, sequence: number): Promise<void> {
  if (sequence === 0) return;
  const last = await source.lastSequence();
  if (sequence <= last) return;
  throw new SignalboxError(
    'log_mismatch',
    `the state was kept at event ${sequence}, and ${source.name} ends with ${last}: it was kept of another log, or the log has lost its end`,
    { details: { sequence, last } },
  );
}

function beginning<State>(projection: Projection<State>): Folded<State> {
  return { sequence: 0, state: projection.initial() };
}
