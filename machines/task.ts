/**
 * The life of a task. Long because it is one machine.
 *
 *     (scheduled →) pending → claimed → working → review → done
 *
 * At most one attempt is open, and only events of the open attempt count. Attempts are numbered 1, 2, 3 …, and those
 * that are used up never exceed what was granted: `max_attempts`, and as many again with each redrive. An open attempt
 * is used up, unless it ends with an outcome that gives it back (`usesUpAttempt`). `done` and `cancelled` are final;
 * `failed` and `expired` are left by a redrive only. `review` needs an output, unless outputs are optional. A task whose
 * work is merged is done only when it is merged; a conflict sends it back like a rejection.
 *
 * A dependency that fails blocks the task, and unblocks it if it is done later. A task that a person blocked is
 * unblocked by a person only, and then no longer waits for anything.
 */
import { assign, setup } from 'xstate';
import type { EventMoving, EventOf } from '../src/contracts/events/events.ts';
import { usesUpAttempt } from '../src/contracts/tasks.ts';

export interface TaskContext {
  readonly maxAttempts: number;
  readonly attemptsGranted: number;
  /** The number of the newest attempt; 0 before the first. */
  readonly attempts: number;
  /** How many of them count, the open one included. */
  readonly attemptsUsed: number;
  readonly openAttempt: number | null;
  readonly outputsRequired: boolean;
  readonly outputs: number;
  readonly comments: number;
  /** Progress reports of all attempts. */
  readonly reports: number;
  /** How often it was edited. */
  readonly edits: number;
  /** Epoch milliseconds at which it expires unless it is claimed before. */
  readonly expiresAt: number | null;
  /** Epoch milliseconds at which a scheduled task becomes pending. */
  readonly dueAt: number | null;
  /** Tasks that have to be done before this one is pending. */
  readonly waitingFor: readonly string[];
  /** The dependency that blocks it; null if it is not blocked, or if a person or an agent blocked it. */
  readonly blockedBy: string | null;
  /** Whether it was redriven: then its `expires_at` has passed and no longer counts. */
  readonly redriven: boolean;
  /** Questions that are not answered. */
  readonly questions: readonly string[];
  /** Whether it waits for answers without an attempt: the last one puts it at the head of its queue. */
  readonly parked: boolean;
  /** Whether it goes first in its queue. */
  readonly goesFirst: boolean;
  /** Whether the open attempt does not count although it has not ended. */
  readonly givenBack: boolean;
  /** Messages to its agent that are not delivered. */
  readonly messages: readonly string[];
  /** Whether it was approved, and its work is being merged. */
  readonly merging: boolean;
}

const NOTHING: readonly never[] = [];

export function openTask(event: EventOf<'task.created'>): TaskContext {
  return {
    maxAttempts: event.spec.max_attempts,
    attemptsGranted: event.spec.max_attempts,
    attempts: 0,
    attemptsUsed: 0,
    openAttempt: null,
    outputsRequired: event.spec.outputs === 'required',
    outputs: 0,
    comments: 0,
    reports: 0,
    edits: 0,
    expiresAt: event.spec.expires_at_ms ?? null,
    dueAt: event.spec.not_before_ms ?? null,
    waitingFor: event.waiting_for ?? NOTHING,
    blockedBy: null,
    redriven: false,
    questions: NOTHING,
    parked: false,
    goesFirst: false,
    givenBack: false,
    messages: NOTHING,
    merging: false,
  };
}

const hasAttemptsLeft = (context: TaskContext): boolean => context.attemptsUsed < context.attemptsGranted;
const givesBack = (event: EventMoving<'task'>): boolean =>
  event.type === 'attempt.ended' && !usesUpAttempt(event.outcome);
const isOpen = (context: TaskContext, event: EventMoving<'task'>): boolean =>
  'attempt' in event && event.attempt !== null && event.attempt === context.openAttempt;
const isLastAwaited = (context: TaskContext, event: EventMoving<'task'>): boolean =>
  event.type === 'task.dependency_met' &&
  context.dueAt === null &&
  context.waitingFor.length === 1 &&
  context.waitingFor[0] === event.dependency;

const isParking = (context: TaskContext, event: EventMoving<'task'>): boolean =>
  event.type === 'attempt.ended' && event.outcome === 'parked' && isOpen(context, event);
/** Its priority counts for the next attempt, so it may change while one is open. */
const changesPriorityOnly = (event: EventMoving<'task'>): boolean =>
  event.type === 'task.edited' && Object.keys(event.changes).every((name) => name === 'priority');
const isOpenQuestion = (context: TaskContext, event: EventMoving<'task'>): boolean =>
  event.type === 'attempt.question_answered' && context.questions.includes(event.question);

const machineSetup = setup({
  types: { context: {} as TaskContext, events: {} as EventMoving<'task'> },
  guards: {
    isClaimable: ({ context, event }) =>
      event.type === 'task.claimed' &&
      context.openAttempt === null &&
      hasAttemptsLeft(context) &&
      event.attempt === context.attempts + 1,
    isOpenAttempt: ({ context, event }) => isOpen(context, event),
    isOpenAttemptOrOperator: ({ context, event }) =>
      event.type === 'task.blocked' && (event.attempt === null || isOpen(context, event)),
    isSubmittable: ({ context, event }) =>
      isOpen(context, event) && (!context.outputsRequired || context.outputs > 0),
    isSuccess: ({ context, event }) =>
      event.type === 'attempt.ended' &&
      event.outcome === 'completed' &&
      isOpen(context, event) &&
      (!context.outputsRequired || context.outputs > 0),
    isRetried: ({ context, event }) =>
      (event.type === 'attempt.ended' || event.type === 'task.failure_reported') &&
      isOpen(context, event) &&
      event.retry_at_ms !== null &&
      (hasAttemptsLeft(context) || givesBack(event)),
    isScheduled: ({ context }) => context.dueAt !== null || context.waitingFor.length > 0,
    isWaiting: ({ context }) => context.waitingFor.length > 0,
    isAwaited: ({ context, event }) =>
      event.type === 'task.dependency_met' && context.waitingFor.includes(event.dependency),
    isLastAwaited: ({ context, event }) => isLastAwaited(context, event),
    isBlocker: ({ context, event }) =>
      event.type === 'task.dependency_met' && context.blockedBy === event.dependency,
    isLastBlocker: ({ context, event }) =>
      isLastAwaited(context, event) && context.blockedBy === context.waitingFor[0],
    hasAttemptsLeft: ({ context }) => hasAttemptsLeft(context),
    canExpire: ({ context }) => context.attempts === 0 && !context.redriven,
    isAsking: ({ context, event }) =>
      event.type === 'attempt.question_asked' &&
      isOpen(context, event) &&
      !context.questions.includes(event.question),
    isOpenQuestion: ({ context, event }) => isOpenQuestion(context, event),
    isLastAnswer: ({ context, event }) =>
      context.parked && context.questions.length === 1 && isOpenQuestion(context, event),
    isParked: ({ context, event }) => isParking(context, event),
    isWaitingParked: ({ context, event }) => isParking(context, event) && context.questions.length > 0,
    isEditable: ({ context, event }) => context.openAttempt === null || changesPriorityOnly(event),
    isReprioritised: ({ event }) => changesPriorityOnly(event),
    isNewMessage: ({ context, event }) =>
      event.type === 'task.steered' && !context.messages.includes(event.message),
    isUndelivered: ({ context, event }) =>
      event.type === 'task.steering_delivered' &&
      event.messages.every((each) => context.messages.includes(each)),
    /** While its work is being merged, nothing else is decided about it. */
    isUndecided: ({ context }) => !context.merging,
    isMergedFirst: ({ context, event }) =>
      event.type === 'task.approved' && event.merge !== undefined && !context.merging,
    isRejectable: ({ context }) => !context.merging && hasAttemptsLeft(context),
    isMerging: ({ context }) => context.merging,
    isConflict: ({ context, event }) =>
      event.type === 'workspace.merge_failed' && event.goes_back && context.merging,
    isRetriedConflict: ({ context, event }) =>
      event.type === 'workspace.merge_failed' &&
      event.goes_back &&
      context.merging &&
      hasAttemptsLeft(context),
    isAcceptedOutput: ({ context, event }) =>
      event.type === 'task.output_added' && (event.attempt === null || isOpen(context, event)),
  },
  actions: {
    openAttempt: assign(({ context, event }) =>
      event.type === 'task.claimed'
        ? {
            attempts: event.attempt,
            openAttempt: event.attempt,
            attemptsUsed: context.attemptsUsed + 1,
            goesFirst: false,
            givenBack: false,
          }
        : {},
    ),
    closeAttempt: assign({
      openAttempt: null,
      attemptsUsed: ({ context, event }) =>
        context.attemptsUsed - (givesBack(event) && !context.givenBack ? 1 : 0),
    }),
    schedule: assign(({ event }) => ('retry_at_ms' in event ? { dueAt: event.retry_at_ms } : {})),
    clearDue: assign({ dueAt: null }),
    strikeDependency: assign(({ context, event }) =>
      event.type === 'task.dependency_met'
        ? { waitingFor: context.waitingFor.filter((each) => each !== event.dependency) }
        : {},
    ),
    forgetDependencies: assign({ waitingFor: NOTHING, blockedBy: null, parked: false }),
    /** An agent that needs something has not used up its attempt. */
    giveBack: assign(({ context, event }) =>
      event.type === 'task.blocked' &&
      event.gives_back === true &&
      isOpen(context, event) &&
      !context.givenBack
        ? { attemptsUsed: context.attemptsUsed - 1, givenBack: true }
        : {},
    ),
    noteBlocker: assign(({ event }) => ({
      blockedBy: event.type === 'task.blocked' ? (event.dependency ?? null) : null,
      parked: false,
    })),
    forgetBlocker: assign({ blockedBy: null }),
    countOutput: assign({ outputs: ({ context }) => context.outputs + 1 }),
    countComment: assign({ comments: ({ context }) => context.comments + 1 }),
    countReport: assign({ reports: ({ context }) => context.reports + 1 }),
    noteEdit: assign(({ context, event }) => {
      if (event.type !== 'task.edited') return {};
      const { expires_at_ms: expiry } = event.changes;
      return { edits: context.edits + 1, expiresAt: expiry === undefined ? context.expiresAt : expiry.to };
    }),
    addQuestion: assign(({ context, event }) =>
      event.type === 'attempt.question_asked' ? { questions: [...context.questions, event.question] } : {},
    ),
    strikeQuestion: assign(({ context, event }) =>
      event.type === 'attempt.question_answered'
        ? { questions: context.questions.filter((each) => each !== event.question) }
        : {},
    ),
    park: assign({ parked: true, blockedBy: null }),
    goFirst: assign({ parked: false, goesFirst: true }),
    addMessage: assign(({ context, event }) =>
      event.type === 'task.steered' ? { messages: [...context.messages, event.message] } : {},
    ),
    strikeMessages: assign(({ context, event }) =>
      event.type === 'task.steering_delivered'
        ? { messages: context.messages.filter((each) => !event.messages.includes(each)) }
        : {},
    ),
    beginMerge: assign({ merging: true }),
    endMerge: assign({ merging: false }),
    redrive: assign({
      attemptsGranted: ({ context }) => context.attemptsUsed + context.maxAttempts,
      dueAt: null,
      redriven: true,
    }),
  },
});

const cancel = { 'task.cancelled': { target: 'cancelled' } } as const;
const block = {
  'task.blocked': {
    guard: 'isOpenAttemptOrOperator',
    target: 'blocked',
    actions: ['noteBlocker', 'giveBack'],
  },
} as const;
/** While it waits, without an open attempt. */
const edit = { 'task.edited': { guard: 'isEditable', actions: 'noteEdit' } } as const;
/** Until the task is finished: in an open attempt it counts for the next one. */
const reprioritise = { 'task.edited': { guard: 'isReprioritised', actions: 'noteEdit' } } as const;
const steer = { 'task.steered': { guard: 'isNewMessage', actions: 'addMessage' } } as const;
const expire = { 'task.expired': { guard: 'canExpire', target: 'expired' } } as const;
const redrive = {
  'task.redriven': [
    { guard: 'isWaiting', target: 'scheduled', actions: 'redrive' },
    { target: 'pending', actions: 'redrive' },
  ],
} as const;
const addOutput = { 'task.output_added': { guard: 'isAcceptedOutput', actions: 'countOutput' } } as const;
const retryOrFail = [
  { guard: 'isRetried', target: 'scheduled', actions: ['closeAttempt', 'schedule'] },
  { guard: 'isOpenAttempt', target: 'failed', actions: 'closeAttempt' },
] as const;
/** After a report of the agent the attempt stays open: its process has yet to end. */
const reportFailure = [
  { guard: 'isRetried', target: 'scheduled', actions: 'schedule' },
  { guard: 'isOpenAttempt', target: 'failed' },
] as const;

export const taskMachine = machineSetup.createMachine({
  id: 'task',
  initial: 'new',
  context: {
    maxAttempts: 1,
    attemptsGranted: 1,
    attempts: 0,
    attemptsUsed: 0,
    openAttempt: null,
    outputsRequired: false,
    outputs: 0,
    comments: 0,
    reports: 0,
    edits: 0,
    expiresAt: null,
    dueAt: null,
    waitingFor: NOTHING,
    blockedBy: null,
    redriven: false,
    questions: NOTHING,
    parked: false,
    goesFirst: false,
    givenBack: false,
    messages: NOTHING,
    merging: false,
  },
  on: {
    'task.comment_added': { actions: 'countComment' },
    'attempt.question_answered': { guard: 'isOpenQuestion', actions: 'strikeQuestion' },
    'task.steering_delivered': { guard: 'isUndelivered', actions: 'strikeMessages' },
    'attempt.ended': { guard: 'isOpenAttempt', actions: 'closeAttempt' },
  },
  states: {
    new: {
      on: { 'task.created': [{ guard: 'isScheduled', target: 'scheduled' }, { target: 'pending' }] },
    },
    scheduled: {
      on: {
        'task.due': [
          { guard: 'isWaiting', actions: 'clearDue' },
          { target: 'pending', actions: 'clearDue' },
        ],
        'task.dependency_met': [
          { guard: 'isLastAwaited', target: 'pending', actions: 'strikeDependency' },
          { guard: 'isAwaited', actions: 'strikeDependency' },
        ],
        ...cancel,
        ...edit,
        ...steer,
        ...block,
        ...expire,
      },
    },
    pending: {
      on: {
        'task.claimed': { guard: 'isClaimable', target: 'claimed', actions: 'openAttempt' },
        ...cancel,
        ...edit,
        ...steer,
        ...block,
        ...expire,
      },
    },
    claimed: {
      on: {
        'attempt.started': { guard: 'isOpenAttempt', target: 'working' },
        'attempt.ended': retryOrFail,
        ...cancel,
        ...reprioritise,
        ...steer,
      },
    },
    working: {
      on: {
        'task.progress_reported': { guard: 'isOpenAttempt', actions: 'countReport' },
        'task.submitted': { guard: 'isSubmittable', target: 'review' },
        'task.failure_reported': reportFailure,
        'attempt.question_asked': { guard: 'isAsking', actions: 'addQuestion' },
        'attempt.ended': [
          { guard: 'isWaitingParked', target: 'blocked', actions: ['closeAttempt', 'park'] },
          // All were answered while its process ended.
          { guard: 'isParked', target: 'pending', actions: ['closeAttempt', 'goFirst'] },
          { guard: 'isSuccess', target: 'review', actions: 'closeAttempt' },
          ...retryOrFail,
        ],
        ...addOutput,
        ...cancel,
        ...reprioritise,
        ...steer,
        ...block,
      },
    },
    review: {
      on: {
        'task.approved': [
          { guard: 'isMergedFirst', actions: 'beginMerge' },
          { guard: 'isUndecided', target: 'done' },
        ],
        'workspace.merged': { guard: 'isMerging', target: 'done', actions: 'endMerge' },
        'workspace.merge_failed': [
          { guard: 'isRetriedConflict', target: 'pending', actions: 'endMerge' },
          { guard: 'isConflict', target: 'failed', actions: 'endMerge' },
          { guard: 'isMerging', actions: 'endMerge' },
        ],
        'task.rejected': [
          { guard: 'isRejectable', target: 'pending' },
          { guard: 'isUndecided', target: 'failed' },
        ],
        'attempt.ended': [
          { guard: 'isSuccess', actions: 'closeAttempt' },
          { guard: 'isRetried', target: 'scheduled', actions: ['closeAttempt', 'schedule', 'endMerge'] },
          { guard: 'isOpenAttempt', target: 'failed', actions: ['closeAttempt', 'endMerge'] },
        ],
        'task.cancelled': { guard: 'isUndecided', target: 'cancelled' },
        ...addOutput,
        ...reprioritise,
        ...steer,
      },
    },
    blocked: {
      on: {
        'attempt.question_answered': {
          guard: 'isLastAnswer',
          target: 'pending',
          actions: ['strikeQuestion', 'goFirst'],
        },
        // The task goes on without what it waited for.
        'task.unblocked': [
          { guard: 'hasAttemptsLeft', target: 'pending', actions: 'forgetDependencies' },
          { target: 'failed' },
        ],
        'task.dependency_met': [
          { guard: 'isLastBlocker', target: 'pending', actions: ['strikeDependency', 'forgetBlocker'] },
          { guard: 'isBlocker', target: 'scheduled', actions: ['strikeDependency', 'forgetBlocker'] },
          { guard: 'isAwaited', actions: 'strikeDependency' },
        ],
        ...cancel,
        ...edit,
        ...steer,
      },
    },
    done: {},
    failed: { on: redrive },
    expired: { on: redrive },
    cancelled: {},
  },
});
