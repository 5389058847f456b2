/** The blackboard: every task with its state, outputs and comments. */
import { unreachable } from '../src/contracts/errors.ts';
import type { EventOf, StoredRecord } from '../src/contracts/events.ts';
import {
  type AttemptOutcome,
  type Output,
  TASK_STATES,
  type TaskSpec,
  type TaskState,
} from '../src/contracts/tasks.ts';
import type { KeptProjection } from './projection.ts';

export interface OutputView extends Output {
  /** 1, 2, 3 … within the task. */
  readonly number: number;
  readonly attempt: number | null;
  readonly time: number;
}

export interface CommentView {
  readonly author: string;
  readonly body: string;
  readonly time: number;
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
  /** What the agent last said of its progress. */
  readonly progress: string | null;
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

type Changes = Partial<Omit<TaskView, 'project' | 'id' | 'spec' | 'requestSha256' | 'comments'>>;

const NOTHING: readonly never[] = [];

export const blackboard: KeptProjection<Blackboard> = {
  name: 'blackboard',
  version: 1,
  initial: () => ({
    tasks: new Map(),
    counts: noTasks(),
    children: new Map(),
    dependents: new Map(),
    idempotencyKeys: new Map(),
  }),
  evolve(state, record) {
    const { event } = record;
    if (event.type === 'task.created') {
      create(state, record, event);
      return;
    }
    if (!('task' in event)) return;
    const key = `${event.project}/${event.task}`;
    const task = state.tasks.get(key);
    if (!task) return;
    const changes = changesOf(record, task);
    if (!changes) return;
    const transition = record.transitions.find((each) => each.entity === 'task');
    const to = (transition?.to ?? task.state) as TaskState;
    state.counts[task.state]--;
    state.counts[to]++;
    const finished = to === 'done' || to === 'failed' || to === 'cancelled' || to === 'expired';
    state.tasks.set(key, {
      ...task,
      ...changes,
      comments: commentsAfter(record, task),
      state: to,
      version: transition?.version ?? task.version,
      updatedAt: record.time,
      finishedAt: finished ? (task.finishedAt ?? record.time) : null,
      lastSequence: record.sequence,
    });
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
    progress: null,
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

/** What an event changes beside the state; null where it is not about the blackboard at all. */
function changesOf({ event, time, transitions }: StoredRecord, task: TaskView): Changes | null {
  switch (event.type) {
    case 'task.due':
    case 'task.unblocked':
      return { dueAt: null };
    case 'task.redriven':
      return { dueAt: null, reason: null };
    case 'task.claimed':
      return { attempts: event.attempt, openAttempt: event.attempt, agent: event.agent, progress: null };
    case 'task.progress_reported':
      return { progress: event.detail ?? task.progress };
    case 'task.output_added': {
      const output = { ...event.output, number: task.outputs.length + 1, attempt: event.attempt, time };
      return { outputs: [...task.outputs, output] };
    }
    case 'task.comment_added':
      return {};
    case 'task.submitted':
      return { progress: event.detail ?? task.progress };
    case 'task.failure_reported':
      return { reason: event.detail, dueAt: event.retry_at_ms };
    case 'task.blocked':
      return { reason: event.reason };
    case 'task.approved':
      return { reason: null };
    case 'task.rejected':
      return { reason: event.comment };
    case 'task.cancelled':
      return { reason: event.reason ?? null, dueAt: null };
    case 'task.expired':
      return { reason: 'expires_at passed before the task was claimed', dueAt: null };
    case 'attempt.ended':
      return afterAttempt(event, task);
    case 'task.dependency_met':
      // It was the one for which the task was blocked: that is no reason any more.
      return transitions.some(({ from, to }) => from === 'blocked' && to !== from) ? { reason: null } : {};
    case 'attempt.started':
      return {};
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
    case 'agent.retired':
    case 'supervisor.started':
    case 'supervisor.draining':
    case 'supervisor.stopped':
      return null;
    default:
      return unreachable(event, 'blackboard');
  }
}

/** A decision's comment stands among the others, where the next attempt finds it. */
function commentsAfter({ event, actor, time }: StoredRecord, task: TaskView): readonly CommentView[] {
  if (event.type === 'task.comment_added') {
    return [...task.comments, { author: event.author, body: event.body, time }];
  }
  if (!('comment' in event) || event.comment === undefined) return task.comments;
  return [...task.comments, { author: actor.replace(/^user:/, ''), body: event.comment, time }];
}

function afterAttempt(event: EventOf<'attempt.ended'>, task: TaskView): Changes {
  const changes: Changes = { openAttempt: null, lastOutcome: event.outcome };
  // Where the task had left the attempt behind already (blocked, cancelled, failed by the agent's own word), the
  // end of its process says nothing new about the task.
  if (task.state !== 'claimed' && task.state !== 'working' && task.state !== 'review') return changes;
  if (event.outcome === 'completed') return changes;
  return { ...changes, reason: event.error ?? event.outcome, dueAt: event.retry_at_ms };
}
