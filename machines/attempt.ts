/**
 * One run of one agent on one task.
 *
 * Invariant attempts/started-at-most-once: `attempt.started` is accepted only in `requested`, and no state after the end
 * accepts anything. An event that names an agent counts only if that agent claimed the attempt, so the end of an attempt
 * frees a slot of the right agent. An attempt is `suspected` before it is stopped for silence.
 *
 * It is `waiting` as long as one of its questions is open and the agent asks for the answer. The end of the wait moves its
 * deadline: the answer to the last question, or that nothing asks for it any more. The questions then stay open.
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
  /** Its questions that are not answered. */
  readonly questions: readonly string[];
  /** Epoch milliseconds since when it waits for an answer; null if it does not. */
  readonly waitingSince: number | null;
  /** Epoch milliseconds; null before its start. */
  readonly deadline: number | null;
  /** Epoch milliseconds until which it may be silent, because a user gave it more time. */
  readonly silentUntil: number | null;
}

const NOTHING: readonly never[] = [];

export function openAttempt(event: EventOf<'task.claimed'>): AttemptContext {
  return {
    agent: event.agent,
    verdict: null,
    stopReason: null,
    questions: NOTHING,
    waitingSince: null,
    deadline: null,
    silentUntil: null,
  };
}

const ended = [
  { guard: 'isQuota', target: 'quota' },
  { guard: 'isNotBegun', target: 'not_begun' },
  { guard: 'isParked', target: 'parked' },
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

const isOpenQuestion = ({ context, event }: Scope): boolean =>
  event.type === 'attempt.question_answered' && context.questions.includes(event.question);

const answered = {
  'attempt.question_answered': [
    { guard: 'isLastQuestion', target: 'running', actions: ['strikeQuestion', 'stopWaiting'] },
    { guard: 'isOpenQuestion', actions: 'strikeQuestion' },
  ],
} as const;
const ask = {
  'attempt.question_asked': { guard: 'isNewQuestion', target: 'waiting', actions: ['addQuestion', 'wait'] },
  'attempt.wait_resumed': { guard: 'hasQuestions', target: 'waiting', actions: 'wait' },
  'attempt.question_answered': { guard: 'isOpenQuestion', actions: 'strikeQuestion' },
} as const;

const extension = { guard: 'isLater', actions: 'noteExtension' } as const;

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
    isParked: hasOutcome('parked'),
    isItsAgent,
    /** After a report of the agent only the lingering of its process counts. */
    isLater: ({ context, event }) =>
      event.type === 'attempt.extended' &&
      context.verdict === null &&
      context.deadline !== null &&
      event.deadline_ms > context.deadline,
    isNewQuestion: ({ context, event }) =>
      event.type === 'attempt.question_asked' &&
      event.agent === context.agent &&
      !context.questions.includes(event.question),
    isOpenQuestion,
    hasQuestions: ({ context }) => context.questions.length > 0,
    isLastQuestion: (scope) => isOpenQuestion(scope) && scope.context.questions.length === 1,
  },
  actions: {
    noteDeadline: assign(({ event }) =>
      event.type === 'attempt.started' ? { deadline: event.deadline_ms } : {},
    ),
    noteExtension: assign(({ event }) =>
      event.type === 'attempt.extended'
        ? { deadline: event.deadline_ms, silentUntil: event.silent_until_ms }
        : {},
    ),
    addQuestion: assign(({ context, event }) =>
      event.type === 'attempt.question_asked' ? { questions: [...context.questions, event.question] } : {},
    ),
    wait: assign(({ event }) => {
      if (event.type === 'attempt.question_asked') return { waitingSince: event.asked_at_ms };
      return event.type === 'attempt.wait_resumed' ? { waitingSince: event.waiting_since_ms } : {};
    }),
    strikeQuestion: assign(({ context, event }) =>
      event.type === 'attempt.question_answered'
        ? { questions: context.questions.filter((each) => each !== event.question) }
        : {},
    ),
    stopWaiting: assign(({ context, event }) =>
      event.type === 'attempt.question_answered' || event.type === 'attempt.wait_ended'
        ? { waitingSince: null, deadline: event.deadline_ms ?? context.deadline }
        : {},
    ),
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
  context: {
    agent: '',
    verdict: null,
    stopReason: null,
    questions: NOTHING,
    waitingSince: null,
    deadline: null,
    silentUntil: null,
  },
  states: {
    new: { on: { 'task.claimed': { target: 'requested' } } },
    requested: {
      on: {
        'attempt.started': { guard: 'isItsAgent', target: 'running', actions: 'noteDeadline' },
        'attempt.stop_requested': { target: 'stopping', actions: 'noteStop' },
        'attempt.ended': ended,
      },
    },
    running: {
      on: {
        'attempt.suspected': { target: 'suspected' },
        'attempt.extended': extension,
        'attempt.stop_requested': { target: 'stopping', actions: 'noteStop' },
        'attempt.ended': ended,
        ...ask,
        ...verdicts,
      },
    },
    suspected: {
      on: {
        'attempt.recovered': { target: 'running' },
        'attempt.extended': { ...extension, target: 'running' },
        'attempt.stop_requested': { target: 'stopping', actions: 'noteStop' },
        'attempt.ended': ended,
        ...ask,
        ...verdicts,
      },
    },
    waiting: {
      on: {
        'attempt.question_asked': { guard: 'isNewQuestion', actions: 'addQuestion' },
        'attempt.extended': extension,
        ...answered,
        'attempt.wait_ended': { target: 'running', actions: 'stopWaiting' },
        'attempt.stop_requested': { target: 'stopping', actions: 'noteStop' },
        'attempt.ended': ended,
        ...verdicts,
      },
    },
    stopping: {
      on: {
        'attempt.question_answered': { guard: 'isOpenQuestion', actions: 'strikeQuestion' },
        'attempt.ended': ended,
        ...verdicts,
      },
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
    parked: {},
  },
});
