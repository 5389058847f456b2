/** Differences between a recorded history and the machines: what the log says an event did, and what it would do now. */
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import type { EntityKind, EventType, StoredRecord, Transition } from '../../contracts/events/events.ts';
import type { ActorHost } from './actor-host.ts';

export interface Divergence {
  readonly sequence: number;
  /** Epoch milliseconds at which it was recorded. */
  readonly time: number;
  readonly type: EventType;
  readonly entity: EntityKind;
  /** As in `demo/T-1` for a task, `demo/T-1/2` for an attempt. */
  readonly id: string;
  /** The recorded transition; null if there is none for this entity. */
  readonly recorded: Transition | null;
  /** The transition now; null if the event is refused or ignored. */
  readonly expected: Transition | null;
  /** Describes the difference. */
  readonly reason: string;
}

/** Sends a recorded event to the machines. @returns the first difference; null if there is none */
export function divergenceOf(record: StoredRecord, host: ActorHost): Divergence | null {
  let now: readonly Transition[];
  try {
    now = host.apply(record.event);
  } catch (error) {
    return refused(record, error);
  }
  const count = Math.max(now.length, record.transitions.length);
  for (let index = 0; index < count; index++) {
    const recorded = record.transitions[index] ?? null;
    const expected = now[index] ?? null;
    if (recorded && expected && isSame(recorded, expected)) continue;
    const shown = recorded ?? expected;
    return shown && { ...placeOf(record, shown), recorded, expected, reason: reasonOf(recorded, expected) };
  }
  return null;
}

/** @throws SignalboxError `replay_diverged`, with the divergence in its details */
export function assertReplays(record: StoredRecord, host: ActorHost): void {
  const divergence = divergenceOf(record, host);
  if (divergence === null) return;
  const { sequence, type, reason } = divergence;
  throw new SignalboxError(
    'replay_diverged',
    `event ${sequence} (${type}) does not replay: ${reason}. Use the version of Signalbox that wrote the log`,
    { details: { sequence, divergence } },
  );
}

function refused(record: StoredRecord, error: unknown): Divergence {
  if (!(error instanceof SignalboxError) || error.code !== 'illegal_transition') throw error;
  const { entity, id } = error.details;
  const recorded =
    record.transitions.find((each) => each.entity === entity && each.id === id) ?? record.transitions[0];
  if (!recorded) throw error;
  const reason = `the present machines refuse it: ${messageOf(error)}`;
  return { ...placeOf(record, recorded), recorded, expected: null, reason };
}

function placeOf(
  { sequence, time, event }: StoredRecord,
  { entity, id }: Transition,
): Omit<Divergence, 'recorded' | 'expected' | 'reason'> {
  return { sequence, time, type: event.type, entity, id };
}

/** As in `it took task demo/a from working to review, and now it would go to failed`. */
function reasonOf(recorded: Transition | null, expected: Transition | null): string {
  if (!recorded) return `now ${nameOf(expected)} would accept it, too`;
  if (!expected) return `${nameOf(recorded)} accepted it, and now would not`;
  if (recorded.entity !== expected.entity || recorded.id !== expected.id) {
    return `${nameOf(recorded)} accepted it, and now ${nameOf(expected)} would instead`;
  }
  const [then, now] = [stepOf(recorded), stepOf(expected)];
  if (then !== now) return `it took ${nameOf(recorded)} ${then}, and now would take it ${now}`;
  if (recorded.version !== expected.version) {
    return `it is recorded as event ${recorded.version} of ${nameOf(recorded)}, and now would be event ${expected.version}`;
  }
  return `it was decided by ${recorded.machine}, and this version of Signalbox has ${expected.machine} (docs/decisions/0005-versions-and-upcasters.md)`;
}

function nameOf(transition: Transition | null): string {
  return transition === null ? 'no entity' : `${transition.entity} ${transition.id}`;
}

function stepOf({ from, to }: Transition): string {
  return from === null ? `into ${to} as its first state` : `from ${from} to ${to}`;
}

function isSame(a: Transition, b: Transition): boolean {
  return (
    a.entity === b.entity &&
    a.id === b.id &&
    a.version === b.version &&
    a.from === b.from &&
    a.to === b.to &&
    a.machine === b.machine
  );
}
