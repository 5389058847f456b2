/**
 * One run of one agent on one task.
 *
 * A1 An attempt starts at most once: `attempt.started` is heard only in `requested`.
 * A2 It ends exactly once; no state after the end hears anything.
 * A3 `suspected` is shown before anything is stopped for silence.
 */
import { assign, setup } from 'xstate';
import type { DomainEvent } from '../src/contracts/events.ts';
import type { StopReason } from '../src/contracts/tasks.ts';

/** What the agent itself said of the attempt, before its process ended. */
export type Verdict = 'submitted' | 'failed' | 'blocked';

export interface AttemptContext {
  readonly verdict: Verdict | null;
  readonly stopReason: StopReason | null;
}

export function openAttempt(): AttemptContext {
  return { verdict: null, stopReason: null };
}

const ended = [
  { guard: 'isCompleted', target: 'completed' },
  { guard: 'isFailed', target: 'failed' },
  { guard: 'isTimedOut', target: 'timed_out' },
  { guard: 'isKilled', target: 'killed' },
  { guard: 'isCancelled', target: 'cancelled' },
  { guard: 'isSpawnFailed', target: 'spawn_failed' },
  { target: 'lost' },
] as const;

const hasOutcome =
  (outcome: string) =>
  ({ event }: { event: DomainEvent }): boolean =>
    event.type === 'attempt.ended' && event.outcome === outcome;

const verdicts = {
  'task.submitted': { actions: 'noteSubmitted' },
  'task.failure_reported': { actions: 'noteFailed' },
  'task.blocked': { actions: 'noteBlocked' },
} as const;

export const attemptMachine = setup({
  types: { context: {} as AttemptContext, events: {} as DomainEvent },
  guards: {
    isCompleted: hasOutcome('completed'),
    isFailed: hasOutcome('failed'),
    isTimedOut: hasOutcome('timed_out'),
    isKilled: hasOutcome('killed'),
    isCancelled: hasOutcome('cancelled'),
    isSpawnFailed: hasOutcome('spawn_failed'),
  },
  actions: {
    noteSubmitted: assign({ verdict: 'submitted' }),
    noteFailed: assign({ verdict: 'failed' }),
    noteBlocked: assign({ verdict: 'blocked' }),
    noteStop: assign(({ event }) =>
      event.type === 'attempt.stop_requested' ? { stopReason: event.reason } : {},
    ),
  },
}).createMachine({
  id: 'attempt',
  initial: 'new',
  context: { verdict: null, stopReason: null },
  states: {
    new: { on: { 'task.claimed': { target: 'requested' } } },
    requested: {
      on: {
        'attempt.started': { target: 'running' },
        'attempt.stop_requested': { target: 'stopping', actions: 'noteStop' },
        'attempt.ended': ended,
      },
    },
    running: {
      on: {
        'attempt.suspected': { target: 'suspected' },
        'attempt.stop_requested': { target: 'stopping', actions: 'noteStop' },
        'attempt.ended': ended,
        ...verdicts,
      },
    },
    suspected: {
      on: {
        'attempt.recovered': { target: 'running' },
        'attempt.stop_requested': { target: 'stopping', actions: 'noteStop' },
        'attempt.ended': ended,
        ...verdicts,
      },
    },
    stopping: {
      on: { 'attempt.ended': ended, ...verdicts },
    },
    completed: {},
    failed: {},
    timed_out: {},
    killed: {},
    cancelled: {},
    spawn_failed: {},
    lost: {},
  },
});
