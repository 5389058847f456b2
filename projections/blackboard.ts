/** The blackboard: every task with its state, outputs and comments. */
import { unreachable } from '../src/contracts/errors.ts';
import type { EventOf, StoredRecord } from '../src/contracts/events/events.ts';
import { REDACTED, redactedOutput, redactedSpec } from '../src/contracts/events/redaction.ts';
import {
  type AttemptOutcome,
  type Output,
  SETTLED_STATES,
  TASK_STATES,
  type TaskSpec,
  type TaskState,
} from '../src/contracts/tasks.ts';
import { type Draft, draftOf, type KeptProjection } from './projection.ts';

export interface OutputView extends Output {
  /** 1, 2, 3 … within the task. */
  readonly number: number;
  readonly attempt: number | null;
  readonly time: number;
  /** Of the event that brought it. */
  readonly sequence: number;
}

export interface CommentView {
  readonly author: string;
  readonly body: string;
  readonly time: number;
  /** Of the event that brought it: a comment, or a decision that has one. */
  readonly sequence: number;
}

export interface TaskView {
  readonly project: string;
  readonly id: string;
  readonly spec: TaskSpec;
  /** Hash of the request that created it. */
  readonly requestSha256: string;
  readonly state: TaskState;
  readonly version: number;
  /** The agent of the newest attempt. */
  readonly agent: string | null;
  readonly attempts: number;
  readonly openAttempt: number | null;
  readonly lastOutcome: AttemptOutcome | null;
  /** Why it is blocked, failed or was sent back: the last thing that went wrong. */
  readonly reason: string | null;
  /** Sequence of the event whose words the reason is; null where nobody's. */
  readonly reasonSequence: number | null;
  /** What the agent last said of its progress. */
  readonly progress: string | null;
  /** Sequence of the event whose words these are. */
  readonly progressSequence: number | null;
  /** Epoch milliseconds at which a scheduled task becomes pending. */
  readonly dueAt: number | null;
  readonly outputs: readonly OutputView[];
  readonly comments: readonly CommentView[];
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly finishedAt: number | null;
  /** Sequence of the event that created it: its place in the order of age. */
  readonly createdSequence: number;
  readonly lastSequence: number;
}

export interface Blackboard {
  /** By `project/task`, in the order of creation. */
  readonly tasks: Map<string, TaskView>;
  /** How many tasks are in each state, those included that have left memory. */
  readonly counts: Record<TaskState, number>;
  /** Children by parent, in the order of creation; both as `project/task`. */
  readonly children: Map<string, readonly string[]>;
  /** Tasks that were created to wait for a task, by that task; both as `project/task`. */
  readonly dependents: Map<string, readonly string[]>;
  /** `project/key` to `project/task`. */
  readonly idempotencyKeys: Map<string, string>;
}

type TaskDraft = Draft<TaskView>;

const NOTHING: readonly never[] = [];

export const blackboard: KeptProjection<Blackboard> = {
  name: 'blackboard',
  version: 2,
  initial: () => ({
    tasks: new Map(),
    counts: noTasks(),
    children: new Map(),
    dependents: new Map(),
    idempotencyKeys: new Map(),
  }),
  evolve(state, record, entries = 'handed out') {
    const { event } = record;
    if (event.type === 'task.created') {
      create(state, record, event);
      return;
    }
    if (!('task' in event)) return;
    const key = `${event.project}/${event.task}`;
    const task = state.tasks.get(key);
    if (!task) return;
    const transition = record.transitions.find(({ entity }) => entity === 'task');
    const from = task.state;
    const to = (transition?.to ?? from) as TaskState;
    const next = draftOf(task, entries);
    if (!change(next, to, record)) return;
    next.state = to;
    if (transition) next.version = transition.version;
    next.updatedAt = record.time;
    next.finishedAt = SETTLED_STATES.has(to) ? (next.finishedAt ?? record.time) : null;
    next.lastSequence = record.sequence;
    state.counts[from]--;
    state.counts[to]++;
    if (next !== task) state.tasks.set(key, next);
  },
  // What stands in the other maps follows from the tasks.
  toJSON: (state) => ({ tasks: [...state.tasks.values()], counts: { ...state.counts } }),
  forget(state, key) {
    const task = state.tasks.get(key);
    if (!task) return;
    state.tasks.delete(key);
    state.children.delete(key);
    const { project, spec } = task;
    if (spec.parent !== undefined) unlink(state.children, `${project}/${spec.parent}`, key);
    for (const id of spec.depends_on ?? []) unlink(state.dependents, `${project}/${id}`, key);
    const idempotencyKey = `${project}/${spec.idempotency_key}`;
    if (state.idempotencyKeys.get(idempotencyKey) === key) state.idempotencyKeys.delete(idempotencyKey);
  },
  restore(json) {
    const { tasks, counts } = json as { tasks: readonly TaskView[]; counts: Blackboard['counts'] };
    const state = { ...blackboard.initial(), counts: { ...counts } };
    for (const task of tasks) add(state, task);
    return state;
  },
};

function add(state: Blackboard, task: TaskView): void {
  const { project, id, spec } = task;
  const key = `${project}/${id}`;
  state.tasks.set(key, task);
  if (spec.idempotency_key !== undefined)
    state.idempotencyKeys.set(`${project}/${spec.idempotency_key}`, key);
  if (spec.parent !== undefined) link(state.children, `${project}/${spec.parent}`, key);
  for (const dependency of spec.depends_on ?? []) link(state.dependents, `${project}/${dependency}`, key);
}

function link(index: Map<string, readonly string[]>, from: string, to: string): void {
  const linked = index.get(from) ?? NOTHING;
  if (!linked.includes(to)) index.set(from, [...linked, to]);
}

function unlink(index: Map<string, readonly string[]>, from: string, to: string): void {
  const linked = index.get(from)?.filter((each) => each !== to) ?? NOTHING;
  if (linked.length > 0) index.set(from, linked);
  else index.delete(from);
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
    requestSha256: event.request_sha256,
    state: to,
    version: transition?.version ?? 1,
    agent: null,
    attempts: 0,
    openAttempt: null,
    lastOutcome: null,
    reason: null,
    reasonSequence: null,
    progress: null,
    progressSequence: null,
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

/**
 * What an event changes beside the state.
 * @param next as it was before the event, the state included. @param to the state after it
 * @returns false where the event is not about the blackboard at all: then nothing has changed
 */
function change(next: TaskDraft, to: TaskState, record: StoredRecord): boolean {
  const { event, time, sequence } = record;
  switch (event.type) {
    case 'task.due':
      next.dueAt = null;
      return true;
    case 'task.unblocked':
      next.dueAt = null;
      return comment(next, record, event.comment);
    case 'task.redriven':
      next.dueAt = null;
      because(next, null, null);
      return comment(next, record, event.comment);
    case 'task.claimed':
      next.attempts = event.attempt;
      next.openAttempt = event.attempt;
      next.agent = event.agent;
      next.progress = null;
      next.progressSequence = null;
      return true;
    case 'task.progress_reported':
    case 'task.submitted':
      if (event.detail === undefined) return true;
      next.progress = event.detail;
      next.progressSequence = sequence;
      return true;
    case 'task.output_added': {
      const output = {
        ...event.output,
        number: next.outputs.length + 1,
        attempt: event.attempt,
        time,
        sequence,
      };
      next.outputs = [...next.outputs, output];
      return true;
    }
    case 'task.comment_added':
      next.comments = [...next.comments, { author: event.author, body: event.body, time, sequence }];
      return true;
    case 'task.failure_reported':
      because(next, event.detail, sequence);
      next.dueAt = event.retry_at_ms;
      return true;
    case 'task.blocked':
      because(next, event.reason, sequence);
      return true;
    case 'task.approved':
      because(next, null, null);
      return comment(next, record, event.comment);
    case 'task.rejected':
      because(next, event.comment, sequence);
      return comment(next, record, event.comment);
    case 'task.cancelled':
      because(next, event.reason ?? null, event.reason === undefined ? null : sequence);
      next.dueAt = null;
      return true;
    case 'task.expired':
      because(next, 'expires_at passed before the task was claimed', null);
      next.dueAt = null;
      return true;
    case 'attempt.ended':
      endAttempt(next, event, sequence);
      return true;
    case 'task.dependency_met':
      // It was the one for which the task was blocked: that is no reason any more.
      if (next.state === 'blocked' && to !== 'blocked') because(next, null, null);
      return true;
    case 'task.redacted':
      redact(next, event.sequence);
      return true;
    case 'attempt.started':
      return true;
    case 'task.created':
    case 'attempt.suspected':
    case 'attempt.recovered':
    case 'attempt.stop_requested':
    case 'attempt.message_rejected':
    case 'agent.registered':
    case 'agent.paused':
    case 'agent.drained':
    case 'agent.resumed':
    case 'agent.parked':
    case 'agent.probed':
    case 'agent.unparked':
    case 'agent.connected':
    case 'agent.disconnected':
    case 'agent.retired':
    case 'queue.paused':
    case 'queue.resumed':
    case 'supervisor.started':
    case 'supervisor.draining':
    case 'supervisor.stopped':
    case 'supervisor.key_introduced':
    case 'supervisor.checkpointed':
      return false;
    default:
      return unreachable(event, 'blackboard');
  }
}

/** @param sequence of the event whose words these are; null where nobody's */
function because(next: TaskDraft, reason: string | null, sequence: number | null): void {
  next.reason = reason;
  next.reasonSequence = sequence;
}

/** What one event brought, and whose content is gone (D2 of redaction.ts). */
function redact(next: TaskDraft, sequence: number): void {
  const isGone = (each: { readonly sequence: number }): boolean => each.sequence === sequence;
  if (next.createdSequence === sequence) next.spec = redactedSpec(next.spec);
  next.outputs = next.outputs.map((output) => (isGone(output) ? redactedOutput(output) : output));
  next.comments = next.comments.map((each) => (isGone(each) ? { ...each, body: REDACTED } : each));
  if (next.reasonSequence === sequence) next.reason = REDACTED;
  if (next.progressSequence === sequence) next.progress = REDACTED;
}

/** A decision's comment stands among the others, where the next attempt finds it. */
function comment(next: TaskDraft, { actor, time, sequence }: StoredRecord, body: string | undefined): true {
  if (body !== undefined) {
    next.comments = [...next.comments, { author: actor.replace(/^user:/, ''), body, time, sequence }];
  }
  return true;
}

function endAttempt(next: TaskDraft, event: EventOf<'attempt.ended'>, sequence: number): void {
  next.openAttempt = null;
  next.lastOutcome = event.outcome;
  // Where the task had left the attempt behind already (blocked, cancelled, failed by the agent's own word), the
  // end of its process says nothing new about the task.
  if (next.state !== 'claimed' && next.state !== 'working' && next.state !== 'review') return;
  if (event.outcome === 'completed') return;
  because(next, event.error ?? event.outcome, event.error === undefined ? null : sequence);
  next.dueAt = event.retry_at_ms;
}
