import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnyStateMachine, assign, createActor, createMachine, setup } from 'xstate';
import { MACHINES } from '../../machines/index.ts';
import { EVENT_TYPES } from '../../src/contracts/events/events.ts';
import { ATTEMPT_OUTCOMES, STOP_REASONS } from '../../src/contracts/tasks.ts';
import { flatLogic } from '../../src/engine/runtime/flat-logic.ts';

/** Everything that a guard or an assignment of ours looks at; the rest of an event says nothing to a machine. */
const anyEvent = fc.record({
  type: fc.constantFrom(...EVENT_TYPES),
  attempt: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(null)),
  outcome: fc.constantFrom(...ATTEMPT_OUTCOMES),
  reason: fc.constantFrom(...STOP_REASONS),
  retry_at_ms: fc.oneof(fc.integer({ min: 0 }), fc.constant(null)),
  concurrency: fc.integer({ min: 1, max: 3 }),
  writer: fc.string(),
  until_ms: fc.integer({ min: 0 }),
  dependency: fc.constantFrom('a', 'b', 'c'),
  question: fc.constantFrom('q', 'r', 's'),
  message: fc.constantFrom('m', 'n', 'o'),
  messages: fc.subarray(['m', 'n']),
  asked_at_ms: fc.integer({ min: 0 }),
  from_ms: fc.integer({ min: 0, max: 10 }),
  nominal_ms: fc.integer({ min: 0, max: 10 }),
  nominals_ms: fc.array(fc.integer({ min: 0, max: 10 }), { maxLength: 3 }),
  cause: fc.constantFrom('time', 'buffer', 'trigger'),
  merge: fc.constantFrom(undefined, 'merge'),
  goes_back: fc.boolean(),
  discard: fc.boolean(),
  deadline_ms: fc.integer({ min: 0, max: 10 }),
  silent_until_ms: fc.integer({ min: 0, max: 10 }),
  changes: fc.constantFrom({ priority: { from: 1, to: 2 } }, { expires_at_ms: { from: null, to: 5 } }),
});

const contexts: Record<keyof typeof MACHINES, fc.Arbitrary<object>> = {
  task: fc.record({
    maxAttempts: fc.constant(3),
    attemptsGranted: fc.integer({ min: 1, max: 4 }),
    attempts: fc.constant(0),
    openAttempt: fc.constant(null),
    outputsRequired: fc.boolean(),
    outputs: fc.constant(0),
    comments: fc.constant(0),
    reports: fc.constant(0),
    dueAt: fc.oneof(fc.constant(null), fc.integer({ min: 0 })),
    waitingFor: fc.subarray(['a', 'b']),
    questions: fc.subarray(['q', 'r']),
    messages: fc.subarray(['m', 'n']),
    edits: fc.constant(0),
    expiresAt: fc.constant(null),
    parked: fc.boolean(),
    merging: fc.boolean(),
  }),
  attempt: fc.record({
    agent: fc.constant('x'),
    verdict: fc.constant(null),
    stopReason: fc.constant(null),
    questions: fc.subarray(['q', 'r']),
    waitingSince: fc.constant(null),
    deadline: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 10 })),
    silentUntil: fc.constant(null),
  }),
  workspace: fc.record({ isSetUp: fc.boolean(), discards: fc.boolean() }),
  agent: fc.record({
    concurrency: fc.integer({ min: 1, max: 3 }),
    running: fc.constant(0),
    failures: fc.constant(0),
    parkings: fc.constant(0),
    parkedUntil: fc.constant(null),
  }),
  queue: fc.constant({}),
  budget: fc.record({
    spec: fc.constant(null),
    raised: fc.oneof(fc.constant(null), fc.constant({ tokens: 5 })),
    from: fc.integer({ min: 0, max: 10 }),
  }),
  schedule: fc.record({ handledUntil: fc.integer({ min: 0, max: 10 }), buffer: fc.subarray([1, 2, 3]) }),
  supervisor: fc.constant({ writer: '', epoch: 0 }),
};

describe('flat logic', () => {
  for (const [kind, machine] of Object.entries(MACHINES) as [keyof typeof MACHINES, AnyStateMachine][]) {
    it(`handles each event of the ${kind} machine as XState does`, () => {
      const logic = flatLogic<object, { type: string }>(machine);
      const everyState = Object.keys(machine.states);
      fc.assert(
        fc.property(
          contexts[kind],
          fc.constantFrom(...everyState),
          fc.array(anyEvent, { maxLength: 30 }),
          (context, state, events) => {
            const reference = createActor(machine, {
              snapshot: machine.resolveState({ value: state, context }),
            }).start();
            let ours = { state, context };
            for (const event of events) {
              const chosen = logic.select(ours.state, ours.context, event);
              expect(chosen !== undefined).toBe(reference.getSnapshot().can(event));
              reference.send(event);
              if (chosen) ours = logic.take(chosen, ours.state, ours.context, event);
              const { value, context: expected } = reference.getSnapshot();
              expect(ours).toEqual({ state: value, context: expected });
            }
          },
        ),
        { numRuns: 500 },
      );
    });
  }

  it.each([
    ['nested states', createMachine({ initial: 'a', states: { a: { initial: 'b', states: { b: {} } } } })],
    ['timers', createMachine({ initial: 'a', states: { a: { after: { 10: 'b' } }, b: {} } })],
    ['entry actions', createMachine({ initial: 'a', states: { a: { entry: () => {} } } })],
    ['eventless transitions', createMachine({ initial: 'a', states: { a: { always: 'b' }, b: {} } })],
    ['final states', createMachine({ initial: 'a', states: { a: { type: 'final' } } })],
    [
      'actions that do something',
      setup({ actions: { act: () => {}, set: assign({}) } }).createMachine({
        initial: 'a',
        states: { a: { on: { go: { actions: 'act' } } } },
      }),
    ],
  ])('refuses a machine with %s', (_what, machine) => {
    expect(() => flatLogic(machine as AnyStateMachine)).toThrow('is not flat');
  });
});
