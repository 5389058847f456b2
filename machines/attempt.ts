/**
 * One run of one agent on one task.
 *
 * Invariant attempts/started-at-most-once: `attempt.started` is accepted only in `requested`, and no state after the end
 * accepts anything. An event that names an agent counts only if that agent claimed the attempt, so the end of an attempt
 * frees a slot of the right agent. An attempt is `suspected` before it is stopped for silence.
 */
import { assign, setup } from 'xstate';
import type { EventMoving, EventOf } from '../src/contracts/events/events.ts';
import type { AttemptOutcome, StopReason } from '../src/contracts/tasks.ts';

/** What the agent reported before its process ended. */
export type Verdict = 'submitted' | 'failed' | 'blocked';

export interface AttemptContext {
  /** The agent that claimed it. */
  readonly agent: string;
  readonly verdict: Verdict | null;
  readonly stopReason: StopReason | null;
}

export function openAttempt(event: EventOf<'task.claimed'>): AttemptContext {
  return { agent: event.agent, verdict: null, stopReason: null };
}

const ended = [
  { guard: 'isQuota', target: 'quota' },
  { guard: 'isNotBegun', target: 'not_begun' },
  { guard: 'isCompleted', target: 'completed' },
  { guard: 'isFailed', target: 'failed' },
  { guard: 'isTimedOut', target: 'timed_out' },
  { guard: 'isKilled', target: 'killed' },
  { guard: 'isCancelled', target: 'cancelled' },
  { guard: 'isSpawnFailed', target: 'spawn_failed' },
  { guard: 'isLost', target: 'lost' },
] as const;

type Scope = { readonly context: AttemptContext; readonly event: EventMoving<'attempt'> };

const isItsAgent = ({ context, event }: Scope): boolean => 'agent' in event && event.agent === context.agent;

const hasOutcome =
  (outcome: AttemptOutcome) =>
  (scope: Scope): boolean =>
    scope.event.type === 'attempt.ended' && scope.event.outcome === outcome && isItsAgent(scope);

const verdicts = {
  'task.submitted': { guard: 'isItsAgent', actions: 'noteSubmitted' },
  'task.failure_reported': { guard: 'isItsAgent', actions: 'noteFailed' },
  'task.blocked': { actions: 'noteBlocked' },
} as const;

export const attemptMachine = setup({
  types: { context: {} as AttemptContext, events: {} as EventMoving<'attempt'> },
  guards: {
    isCompleted: hasOutcome('completed'),
    isFailed: hasOutcome('failed'),
    isTimedOut: hasOutcome('timed_out'),
    isKilled: hasOutcome('killed'),
    isCancelled: hasOutcome('cancelled'),
    isSpawnFailed: hasOutcome('spawn_failed'),
    isLost: hasOutcome('lost'),
    isQuota: hasOutcome('quota'),
    isNotBegun: hasOutcome('not_begun'),
    isItsAgent,
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
  context: { agent: '', verdict: null, stopReason: null },
  states: {
    new: { on: { 'task.claimed': { target: 'requested' } } },
    requested: {
      on: {
        'attempt.started': { guard: 'isItsAgent', target: 'running' },
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
    quota: {},
    not_begun: {},
  },
});
