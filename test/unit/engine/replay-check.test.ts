import { describe, expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { MACHINES } from '../../../machines/index.ts';
import type { EntityKind, StoredRecord } from '../../../src/contracts/events/events.ts';
import { memorySource, readRecords } from '../../../src/engine/replay/event-source.ts';
import { fileSource } from '../../../src/engine/replay/file-source.ts';
import { checkHistory } from '../../../src/engine/replay/replay.ts';
import type { Machines } from '../../../src/engine/runtime/actor-host.ts';
import type { StoredMessage } from '../../../src/journal/journal.ts';
import { goldenHistory } from '../../support/histories/golden.ts';
import { rechained } from '../../support/history/rechained.ts';

const golden = (name: string) => fileSource(goldenHistory('0.1.0', name).file);

/** Today's machines, but for one guard that never holds. */
function without(kind: EntityKind, guard: string): Machines {
  const machine: AnyStateMachine = MACHINES[kind];
  return { ...MACHINES, [kind]: machine.provide({ guards: { [guard]: () => false } }) };
}

async function first(name: string, holds: (record: StoredRecord) => boolean): Promise<StoredRecord> {
  for await (const record of readRecords(golden(name))) if (holds(record)) return record;
  throw new Error(`history ${name} has no such event`);
}

const goes =
  (entity: EntityKind, from: string, to: string) =>
  ({ transitions }: StoredRecord): boolean =>
    transitions.some((each) => each.entity === entity && each.from === from && each.to === to);

const is =
  (type: string) =>
  ({ event }: StoredRecord): boolean =>
    event.type === type;

describe('replay check names the first event with a different result', () => {
  it.each([
    ['task', 'isRetried', 'failures', goes('task', 'working', 'scheduled'), 'working', 'failed'],
    ['task', 'isRejectable', 'reviews', goes('task', 'review', 'pending'), 'review', 'failed'],
    ['task', 'isLastAwaited', 'waiting', goes('task', 'scheduled', 'pending'), 'scheduled', 'scheduled'],
    ['agent', 'isLastRunning', 'crashes', goes('agent', 'busy', 'idle'), 'busy', 'busy'],
  ] as const)('%s without %s', async (kind, guard, name, holds, from, to) => {
    const isMet = (record: StoredRecord): boolean =>
      holds(record) && (guard !== 'isLastAwaited' || record.event.type === 'task.dependency_met');
    const { sequence, event, time, transitions } = await first(name, isMet);
    const recorded = transitions.find(({ entity }) => entity === kind);
    const { events, divergence } = await checkHistory(golden(name), without(kind, guard));
    expect(events).toBe(sequence - 1);
    expect(divergence).toMatchObject({ sequence, time, type: event.type, entity: kind, id: recorded?.id });
    expect(divergence?.recorded).toEqual(recorded);
    expect(divergence?.expected).toEqual({ ...recorded, from, to });
    expect(divergence?.reason).toBe(
      `it took ${kind} ${recorded?.id} from ${from} to ${recorded?.to}, and now would take it from ${from} to ${to}`,
    );
  });

  it.each([
    ['task', 'isSubmittable', 'reviews', is('task.submitted')],
    ['task', 'canExpire', 'waiting', is('task.expired')],
    ['attempt', 'isItsAgent', 'reviews', is('attempt.started')],
    ['attempt', 'isTimedOut', 'failures', goes('attempt', 'stopping', 'timed_out')],
    ['agent', 'hasFreeSlot', 'agents', is('task.claimed')],
  ] as const)('%s without %s: the event would be refused', async (kind, guard, name, holds) => {
    const { sequence, event, transitions } = await first(name, holds);
    const { events, divergence } = await checkHistory(golden(name), without(kind, guard));
    expect(events).toBe(sequence - 1);
    const recorded = transitions.find(({ entity }) => entity === kind);
    expect(divergence).toMatchObject({ sequence, type: event.type, entity: kind, recorded, expected: null });
    expect(divergence?.reason).toMatch(/^the present machines refuse it: /);
  });

  it('and nothing if every event has the recorded result', async () => {
    const { events, divergence } = await checkHistory(golden('agents'));
    expect(divergence).toBeNull();
    expect(events).toBe(await golden('agents').lastSequence());
  });
});

describe('an event of another version of a machine', () => {
  async function withMachine(name: string, at: number): Promise<StoredMessage[]> {
    const messages: StoredMessage[] = [];
    for await (const message of golden('reviews').read()) messages.push(message);
    return rechained(messages, (text, sequence) =>
      sequence < at ? text : text.replaceAll('"machine":"task@1"', `"machine":"${name}"`),
    );
  }

  it('is named with both versions, although the state would be the same', async () => {
    const { sequence, transitions } = await first('reviews', is('task.claimed'));
    const { events, divergence } = await checkHistory(memorySource(await withMachine('task@2', sequence)));
    expect(events).toBe(sequence - 1);
    expect(divergence).toMatchObject({ sequence, entity: 'task', id: transitions[0]?.id });
    expect(divergence?.reason).toBe(
      'it was decided by task@2, and this version of Signalbox has task@1 (docs/decisions/0005-versions-and-upcasters.md)',
    );
  });
});
