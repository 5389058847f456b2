/**
 * Golden histories: logs that released versions have written are replayed by this one, event by event, and lead to the
 * states that are stored beside them. What is found here would be found by a user whose Signalbox refuses to start.
 */
import { readFile, stat } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { MACHINES } from '../../machines/index.ts';
import type { EntityKind, EventType, StoredRecord } from '../../src/contracts/events/events.ts';
import { ATTEMPT_OUTCOMES, STOP_REASONS } from '../../src/contracts/tasks.ts';
import { readRecords } from '../../src/engine/replay/event-source.ts';
import { fileSource } from '../../src/engine/replay/file-source.ts';
import { checkHistory } from '../../src/engine/replay/replay.ts';
import type { Machines } from '../../src/engine/runtime/actor-host.ts';
import { goldenHistories, recordedState, stateOf } from '../support/histories/golden.ts';

const ALL = await goldenHistories();
const MAX_BYTES = 700_000;

/** All that could happen in 0.1.0; later types are in later histories. */
const TYPES_OF_0_1_0: readonly EventType[] = [
  ...(['created', 'due', 'dependency_met', 'claimed', 'progress_reported', 'output_added'] as const),
  ...(['comment_added', 'submitted', 'failure_reported', 'blocked', 'unblocked', 'approved'] as const),
  ...(['rejected', 'cancelled', 'expired', 'redriven', 'redacted'] as const),
].map((name): EventType => `task.${name}`);
const OTHER_TYPES_OF_0_1_0: readonly EventType[] = [
  ...(['started', 'suspected', 'recovered', 'stop_requested', 'ended', 'message_rejected'] as const).map(
    (name): EventType => `attempt.${name}`,
  ),
  ...(['registered', 'paused', 'drained', 'resumed', 'parked', 'probed', 'unparked', 'retired'] as const).map(
    (name): EventType => `agent.${name}`,
  ),
  ...(['paused', 'resumed'] as const).map((name): EventType => `queue.${name}`),
  ...(['started', 'draining', 'stopped', 'key_introduced', 'checkpointed'] as const).map(
    (name): EventType => `supervisor.${name}`,
  ),
];

/** An outcome that came later is in the tests of what it does. */
const OUTCOMES_OF_0_1_0 = ATTEMPT_OUTCOMES.filter(
  (outcome) => outcome !== 'quota' && outcome !== 'not_begun' && outcome !== 'parked',
);
const REASONS_OF_0_1_0 = STOP_REASONS.filter((reason) => reason !== 'parked');

async function records(version: string): Promise<StoredRecord[]> {
  const found: StoredRecord[] = [];
  for (const { name, file } of ALL) {
    if (!name.startsWith(`${version}/`)) continue;
    for await (const record of readRecords(fileSource(file))) found.push(record);
  }
  return found;
}

describe('golden histories', () => {
  it.each(ALL)(
    'events/meaning-never-changes: $name replays as it was recorded, to the stored state',
    async (history) => {
      expect((await checkHistory(fileSource(history.file))).divergence).toBeNull();
      expect(await stateOf(history)).toBe(await recordedState(history));
    },
  );

  it('of 0.1.0 hold every type of event, every outcome and every reason to stop', async () => {
    const events = (await records('0.1.0')).map(({ event }) => event);
    const types = new Set(events.map(({ type }) => type));
    expect(types).toEqual(new Set([...TYPES_OF_0_1_0, ...OTHER_TYPES_OF_0_1_0]));
    const outcomes = events.flatMap((event) => (event.type === 'attempt.ended' ? [event.outcome] : []));
    expect(new Set(outcomes)).toEqual(new Set(OUTCOMES_OF_0_1_0));
    const reasons = events.flatMap((event) =>
      event.type === 'attempt.stop_requested' ? [event.reason] : [],
    );
    expect(new Set(reasons)).toEqual(new Set(REASONS_OF_0_1_0));
  });

  it('stay small', async () => {
    const files = ALL.flatMap(({ file, stateFile }) => [file, stateFile]);
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MAX_BYTES);
  });

  it('do not say who recorded them', async () => {
    const texts = await Promise.all(ALL.map(({ file }) => readFile(file, 'utf8')));
    const hosts = texts.flatMap((text) => [...text.matchAll(/"host":"([^"]*)"/g)].map(([, host]) => host));
    expect(new Set(hosts)).toEqual(new Set(['signalbox.example', 'simulated']));
  });
});

/** Every guard of every machine that a release has written events of. */
const GUARDS = (Object.entries(MACHINES) as [EntityKind, AnyStateMachine][])
  .filter(([kind]) => kind !== 'schedule' && kind !== 'workspace')
  .flatMap(([kind, machine]) =>
    Object.keys(machine.implementations.guards).map((guard) => ({ kind, guard })),
  );

/** Today's machines, but for one guard that says the opposite. */
function mutant(kind: EntityKind, name: string): Machines {
  const machine: AnyStateMachine = MACHINES[kind];
  const guard = machine.implementations.guards[name] as unknown as (scope: unknown) => boolean;
  const guards = { [name]: (scope: unknown) => !guard(scope) };
  return { ...MACHINES, [kind]: machine.provide({ guards }) };
}

describe('a machine that is changed in one guard', () => {
  it.each(GUARDS)('$kind, $guard: diverges from a golden history', async ({ kind, guard }) => {
    const machines = mutant(kind, guard);
    const reports = await Promise.all(ALL.map(({ file }) => checkHistory(fileSource(file), machines)));
    const found = reports.flatMap(({ divergence }) => divergence ?? []);
    expect(found.length).toBeGreaterThan(0);
    for (const { recorded, expected, reason } of found) {
      expect(recorded ?? expected).not.toBeNull();
      expect(reason).not.toBe('');
    }
  });
});
