/** The blackboard: every task with its state, outputs and comments. Long because it has a handler for every event of a task. */
import { type EventOf, REDACTED, type StoredRecord, type TypeAbout } from '../src/contracts/events/events.ts';
import { redactedOutput, redactedSpec } from '../src/contracts/events/redaction.ts';
import { withChanges } from '../src/contracts/events/task-edits.ts';
import { taskKey } from '../src/contracts/ids.ts';
import {
  type AttemptOutcome,
  type Output,
  SETTLED_STATES,
  TASK_STATES,
  type TaskSpec,
  type TaskState,
  usesUpAttempt,
} from '../src/contracts/tasks.ts';
import {
  authorOf,
  type Draft,
  draftOf,
  type Handlers,
  onlyMoves,
  type PastProjection,
  personOf,
  tableOf,
} from './projection.ts';
import { copyOfLinks, link, noLinks, type TaskLinks, unlink } from './task-links.ts';
import { addFigures, figuresOfEnd, hasUsed, type UsageFigures } from './usage-figures.ts';

export interface OutputView extends Output {
  /** 1, 2, 3 … within the task. */
  readonly number: number;
  readonly attempt: number | null;
  readonly time: number;
  /** Of the event that added it. */
  readonly sequence: number;
}

export interface CommentView {
  readonly author: string;
  readonly body: string;
  readonly time: number;
  /** Of the event that added it: a comment, or a decision with a comment. */
  readonly sequence: number;
}

export interface TaskView {
  readonly project: string;
  readonly id: string;
  readonly spec: TaskSpec;
  /** How often it was edited. */
  readonly edits: number;
  /** The sequence of the event that last changed a field of `spec`, by its name; null if it was never edited. */
  readonly editedIn: Readonly<Record<string, number>> | null;
  /** Hash of the request that created it. */
  readonly requestSha256: string;
  readonly state: TaskState;
  readonly version: number;
  /** The agent of the newest attempt. */
  readonly agent: string | null;
  readonly attempts: number;
  /** How many attempts count towards `max_attempts`, the open one included. */
  readonly attemptsUsed: number;
  readonly openAttempt: number | null;
  readonly lastOutcome: AttemptOutcome | null;
  /** Whether the newest attempt has started. */
  readonly hasStarted: boolean;
  /** What its ended attempts have used together; null if none has ended that had started. */
  readonly usage: UsageFigures | null;
  /** Why it is blocked, failed or was rejected: the last thing that went wrong. */
  readonly reason: string | null;
  /** Sequence of the event that has the reason as text; null if Signalbox worded it. */
  readonly reasonSequence: number | null;
  /** What the agent last reported. */
  readonly progress: string | null;
  /** Sequence of the event with this report. */
  readonly progressSequence: number | null;
  /** Questions of its agent that are not answered. */
  readonly openQuestions: readonly string[];
  /** Whether the newest attempt did not count before it ended. */
  readonly givenBack: boolean;
  /** Whether it goes first in its queue: a question for which it had waited was answered. */
  readonly goesFirst: boolean;
  /** Whether it was cancelled with everything below it. */
  readonly cancelsChildren: boolean;
  /** Whether it was approved, and is done when its work is merged. */
  readonly merging: boolean;
  /** Epoch milliseconds at which a scheduled task becomes pending. */
  readonly dueAt: number | null;
  readonly outputs: readonly OutputView[];
  readonly comments: readonly CommentView[];
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly finishedAt: number | null;
  /** Sequence of the event that created it. Tasks are ordered by it. */
  readonly createdSequence: number;
  readonly lastSequence: number;
}

export interface Blackboard extends TaskLinks {
  /** By task key, in the order of creation. */
  readonly tasks: Map<string, TaskView>;
  /** How many tasks are in each state, including those that have left memory. */
  readonly counts: Record<TaskState, number>;
}

type TaskDraft = Draft<TaskView>;

const NOTHING: readonly never[] = [];

/** Each changes what an event says beside the state. The draft still has the state before the event. */
const HANDLERS: Handlers<Exclude<TypeAbout<'task'>, 'task.created'>, TaskDraft> = {
  'task.due': (next) => {
    next.dueAt = null;
  },
  'task.dependency_met': (next, _event, { transitions: [moved] }) => {
    // The dependency that blocked the task no longer does.
    if (next.state === 'blocked' && moved?.to !== 'blocked') setReason(next, null);
  },
  'task.claimed': (next, { attempt, agent }) => {
    next.attempts = attempt;
    next.attemptsUsed++;
    next.openAttempt = attempt;
    next.hasStarted = false;
    next.agent = agent;
    next.progress = null;
    next.progressSequence = null;
    next.goesFirst = false;
    next.givenBack = false;
  },
  'attempt.question_asked': (next, { question }) => {
    next.openQuestions = [...next.openQuestions, question];
  },
  'attempt.question_answered': (next, { question }, { transitions: [moved] }) => {
    next.openQuestions = next.openQuestions.filter((each) => each !== question);
    if (next.state !== 'blocked' || moved?.to !== 'pending') return;
    next.goesFirst = true;
    setReason(next, null);
  },
  'task.steered': onlyMoves,
  'task.steering_delivered': onlyMoves,
  'task.progress_reported': report,
  'task.submitted': report,
  'task.output_added': (next, { output, attempt }, { time, sequence }) => {
    next.outputs = [...next.outputs, { ...output, number: next.outputs.length + 1, attempt, time, sequence }];
  },
  'task.comment_added': (next, { author, body }, { actor, time, sequence }) => {
    next.comments = [...next.comments, { author: authorOf(author, actor), body, time, sequence }];
  },
  'task.failure_reported': (next, { detail, retry_at_ms }, { sequence }) => {
    setReason(next, detail, sequence);
    next.dueAt = retry_at_ms;
  },
  'task.blocked': (next, { attempt, reason, gives_back }, { sequence }) => {
    setReason(next, reason, sequence);
    if (gives_back !== true || attempt === null || attempt !== next.openAttempt || next.givenBack) return;
    next.attemptsUsed--;
    next.givenBack = true;
  },
  'task.unblocked': (next, { comment }, record) => {
    next.dueAt = null;
    addComment(next, comment, record);
  },
  'task.approved': (next, { comment, merge }, record) => {
    setReason(next, null);
    next.merging = merge !== undefined;
    addComment(next, comment, record);
  },
  'task.rejected': (next, { comment }, record) => {
    setReason(next, comment, record.sequence);
    addComment(next, comment, record);
  },
  'workspace.merged': (next) => {
    next.merging = false;
  },
  'workspace.merge_failed': (next, { reason, goes_back }, record) => {
    setReason(next, reason, record.sequence);
    next.merging = false;
    if (goes_back) addComment(next, reason, record);
  },
  'task.cancelled': (next, { reason, children }, { sequence }) => {
    setReason(next, reason ?? null, sequence);
    next.cancelsChildren = children === true;
    next.dueAt = null;
  },
  'task.edited': (next, { changes, comment }, record) => {
    next.spec = withChanges(next.spec, changes);
    next.edits++;
    const changed = Object.keys(changes).map((name) => [name, record.sequence]);
    next.editedIn = { ...next.editedIn, ...Object.fromEntries(changed) };
    addComment(next, comment, record);
  },
  'task.expired': (next) => {
    setReason(next, 'expires_at passed before the task was claimed');
    next.dueAt = null;
  },
  'task.redriven': (next, { comment }, record) => {
    next.dueAt = null;
    setReason(next, null);
    addComment(next, comment, record);
  },
  'task.redacted': (next, { sequence }) => redact(next, sequence),
  'attempt.started': (next) => {
    next.hasStarted = true;
  },
  'attempt.ended': (next, event, { sequence, transitions: [moved] }) => {
    const { outcome, error, retry_at_ms } = event;
    addUsage(next, event);
    if (!usesUpAttempt(outcome) && !next.givenBack) next.attemptsUsed--;
    next.openAttempt = null;
    next.lastOutcome = outcome;
    // If the task had left the attempt already (blocked, cancelled, or failed by a report of the agent), the end of
    // its process says nothing new about the task.
    if (next.state !== 'claimed' && next.state !== 'working' && next.state !== 'review') return;
    if (outcome === 'completed') return;
    next.merging = false;
    if (outcome === 'parked') {
      next.goesFirst = moved?.to === 'pending';
      return setReason(next, moved?.to === 'blocked' ? 'it waits for the answer to a question' : null);
    }
    setReason(next, error ?? outcome, error === undefined ? null : sequence);
    next.dueAt = retry_at_ms;
  },
};
const TABLE = tableOf(HANDLERS);

export const blackboard: PastProjection<Blackboard> = {
  name: 'blackboard',
  version: 5,
  initial: () => ({
    tasks: new Map(),
    counts: noTasks(),
    ...noLinks(),
  }),
  evolve(state, record, entries = 'handed out') {
    const { event } = record;
    if (event.type === 'task.created') return create(state, record, event);
    const handle = TABLE.get(event.type);
    if (handle === undefined || !('task' in event)) return;
    const key = taskKey(event);
    const task = state.tasks.get(key);
    if (!task) return;
    const transition = record.transitions.find(({ entity }) => entity === 'task');
    const from = task.state;
    const to = (transition?.to ?? from) as TaskState;
    // No reader holds the entry that an earlier event of the same message has made.
    const isOwn = task.lastSequence === record.sequence;
    const next = draftOf(task, isOwn ? 'unseen' : entries);
    handle(next, event, record);
    next.state = to;
    if (transition) next.version = transition.version;
    next.updatedAt = record.time;
    next.finishedAt = SETTLED_STATES.has(to) ? (next.finishedAt ?? record.time) : null;
    next.lastSequence = record.sequence;
    state.counts[from]--;
    state.counts[to]++;
    if (next !== task) state.tasks.set(key, next);
  },
  // The other maps follow from the tasks.
  toJSON: (state) => ({ tasks: [...state.tasks.values()], counts: { ...state.counts } }),
  forget(state, key) {
    const task = state.tasks.get(key);
    if (!task) return;
    state.tasks.delete(key);
    unlink(state, task);
  },
  restore(json) {
    const { tasks, counts } = json as { tasks: readonly TaskView[]; counts: Blackboard['counts'] };
    const state = { ...blackboard.initial(), counts: { ...counts } };
    for (const task of tasks) add(state, task);
    return state;
  },
  pieceOf: ({ tasks }, key) => {
    const task = tasks.get(key);
    return task ? ['task', key, task] : null;
  },
  pieces: ({ counts }) => [['counts', '', counts]],
  copy: ({ tasks, counts, ...links }) => ({
    tasks: new Map(tasks),
    counts: { ...counts },
    ...copyOfLinks(links),
  }),
};

function add(state: Blackboard, task: TaskView): void {
  state.tasks.set(taskKey({ project: task.project, task: task.id }), task);
  link(state, task);
}

function noTasks(): Record<TaskState, number> {
  return Object.fromEntries(TASK_STATES.map((state) => [state, 0])) as Record<TaskState, number>;
}

function create(state: Blackboard, record: StoredRecord, event: EventOf<'task.created'>): void {
  const { project, task: id, spec } = event;
  const transition = record.transitions[0];
  const to = (transition?.to ?? 'pending') as TaskState;
  state.counts[to]++;
  add(state, {
    project,
    id,
    spec,
    edits: 0,
    editedIn: null,
    requestSha256: event.request_sha256,
    state: to,
    version: transition?.version ?? 1,
    agent: null,
    attempts: 0,
    attemptsUsed: 0,
    openAttempt: null,
    lastOutcome: null,
    hasStarted: false,
    usage: null,
    reason: null,
    reasonSequence: null,
    progress: null,
    progressSequence: null,
    openQuestions: NOTHING,
    goesFirst: false,
    givenBack: false,
    cancelsChildren: false,
    merging: false,
    dueAt: spec.not_before_ms ?? null,
    outputs: NOTHING,
    comments: NOTHING,
    createdAt: record.time,
    updatedAt: record.time,
    finishedAt: null,
    createdSequence: record.sequence,
    lastSequence: record.sequence,
  });
}

/** @param sequence of the event that has the reason as text; null if Signalbox worded it */
function setReason(next: TaskDraft, reason: string | null, sequence: number | null = null): void {
  next.reason = reason;
  next.reasonSequence = reason === null ? null : sequence;
}

function addUsage(next: TaskDraft, event: EventOf<'attempt.ended'>): void {
  if (!hasUsed(event, next.hasStarted)) return;
  const figures = figuresOfEnd(event);
  if (next.usage !== null) addFigures(figures, next.usage);
  next.usage = figures;
}

function report(
  next: TaskDraft,
  { detail }: { detail?: string | undefined },
  { sequence }: StoredRecord,
): void {
  if (detail === undefined) return;
  next.progress = detail;
  next.progressSequence = sequence;
}

/** The comment of a decision is one of the task's comments, which the next attempt gets. */
function addComment(
  next: TaskDraft,
  body: string | undefined,
  { actor, time, sequence }: StoredRecord,
): void {
  if (body === undefined) return;
  next.comments = [...next.comments, { author: personOf(actor), body, time, sequence }];
}

/** What is to be done without the texts that one event has brought into it, the creation or an edit. */
function redactedFields({ spec, editedIn, createdSequence }: TaskView, sequence: number): TaskView['spec'] {
  if (editedIn === null) return createdSequence === sequence ? redactedSpec(spec) : spec;
  const redacted: Readonly<Record<string, unknown>> = redactedSpec(spec);
  const gone = Object.entries(redacted).filter(([name]) => (editedIn[name] ?? createdSequence) === sequence);
  return { ...spec, ...Object.fromEntries(gone) };
}

/** Erases what one event added. */
function redact(next: TaskDraft, sequence: number): void {
  const isGone = (each: { readonly sequence: number }): boolean => each.sequence === sequence;
  next.spec = redactedFields(next, sequence);
  next.outputs = next.outputs.map((output) => (isGone(output) ? redactedOutput(output) : output));
  next.comments = next.comments.map((each) => (isGone(each) ? { ...each, body: REDACTED } : each));
  if (next.reasonSequence === sequence) next.reason = REDACTED;
  if (next.progressSequence === sequence) next.progress = REDACTED;
}
