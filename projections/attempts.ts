/** The attempt history: who ran what, when, with which end and which evidence. */
import { unreachable } from '../src/contracts/errors.ts';
import type { DomainEvent, EventOf, StoredRecord } from '../src/contracts/events/events.ts';
import { REDACTED } from '../src/contracts/events/redaction.ts';
import type { AttemptOutcome, StopReason, Usage } from '../src/contracts/tasks.ts';
import { type Draft, draftOf, type KeptProjection } from './projection.ts';

export interface RejectedMessage {
  readonly message: string;
  readonly reason: string;
  readonly time: number;
}

export interface AttemptView {
  readonly project: string;
  readonly task: string;
  readonly attempt: number;
  readonly agent: string;
  /** `requested`, `running`, `suspected`, `stopping`, or an outcome. */
  readonly state: string;
  readonly tokenSha256: string | null;
  readonly driver: string | null;
  readonly host: string | null;
  readonly pid: number | null;
  readonly startTime: string | null;
  readonly claimedAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly deadline: number | null;
  readonly stopReason: StopReason | null;
  readonly outcome: AttemptOutcome | null;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly error: string | null;
  readonly stderrTail: string | null;
  readonly peakMemoryBytes: number | null;
  readonly cpuMs: number | null;
  readonly usage: Usage | null;
  /** The agent's own session, by which a later attempt can go on. */
  readonly session: string | null;
  readonly evidence: Readonly<Record<string, unknown>> | null;
  /** Sequence of the event of its end. */
  readonly endedSequence: number | null;
  readonly rejected: readonly RejectedMessage[];
}

export interface AttemptHistory {
  /** By `project/task`: attempt 1 first. */
  readonly byTask: Map<string, readonly AttemptView[]>;
}

const NOTHING: readonly never[] = [];

export const attemptHistory: KeptProjection<AttemptHistory> = {
  name: 'attempts',
  version: 3,
  initial: () => ({ byTask: new Map() }),
  evolve(state, record, entries = 'handed out') {
    const { event } = record;
    if (event.type === 'task.redacted') {
      redact(state, event);
      return;
    }
    if (!('attempt' in event) || event.attempt === null) return;
    const key = `${event.project}/${event.task}`;
    const history = state.byTask.get(key) ?? NOTHING;
    if (event.type === 'task.claimed') {
      state.byTask.set(key, [...history, claimed(event, record.time)]);
      return;
    }
    const attempt = history[event.attempt - 1];
    if (!attempt) return;
    const moved = record.transitions.find(({ entity }) => entity === 'attempt');
    const next = draftOf(attempt, entries);
    if (!change(next, record)) return;
    if (moved) next.state = moved.to;
    if (next !== attempt) state.byTask.set(key, history.with(event.attempt - 1, next));
  },
  toJSON: (state) => [...state.byTask.entries()],
  forget: (state, task) => {
    state.byTask.delete(task);
  },
  restore: (json) => ({ byTask: new Map(json as [string, readonly AttemptView[]][]) }),
};

function claimed(event: Extract<DomainEvent, { type: 'task.claimed' }>, time: number): AttemptView {
  return {
    project: event.project,
    task: event.task,
    attempt: event.attempt,
    agent: event.agent,
    state: 'requested',
    tokenSha256: event.token_sha256 ?? null,
    driver: null,
    host: null,
    pid: null,
    startTime: null,
    claimedAt: time,
    startedAt: null,
    endedAt: null,
    deadline: null,
    stopReason: null,
    outcome: null,
    exitCode: null,
    signal: null,
    error: null,
    stderrTail: null,
    peakMemoryBytes: null,
    cpuMs: null,
    usage: null,
    session: null,
    evidence: null,
    endedSequence: null,
    rejected: NOTHING,
  };
}

/** The end of an attempt whose content is gone (D2 of redaction.ts). */
function redact(state: AttemptHistory, { project, task, sequence }: EventOf<'task.redacted'>): void {
  const key = `${project}/${task}`;
  const history = state.byTask.get(key) ?? NOTHING;
  const index = history.findIndex(({ endedSequence }) => endedSequence === sequence);
  const attempt = history[index];
  if (!attempt) return;
  const error = attempt.error === null ? null : REDACTED;
  state.byTask.set(key, history.with(index, { ...attempt, error, stderrTail: null, evidence: null }));
}

/** @returns false where the event says nothing about the attempt itself: then nothing has changed */
function change(next: Draft<AttemptView>, { event, time, sequence }: StoredRecord): boolean {
  switch (event.type) {
    case 'attempt.started':
      next.driver = event.driver;
      next.host = event.host;
      next.pid = event.pid ?? null;
      next.startTime = event.start_time ?? null;
      next.startedAt = time;
      next.deadline = event.deadline_ms;
      next.session = event.session ?? null;
      return true;
    case 'attempt.stop_requested':
      next.stopReason = event.reason;
      return true;
    case 'attempt.suspected':
    case 'attempt.recovered':
    case 'task.submitted':
    case 'task.failure_reported':
    case 'task.blocked':
      return true;
    case 'attempt.message_rejected':
      next.rejected = [...next.rejected, { message: event.message, reason: event.reason, time }];
      return true;
    case 'attempt.ended':
      next.endedAt = time;
      next.outcome = event.outcome;
      next.exitCode = event.exit_code ?? null;
      next.signal = event.signal ?? null;
      next.error = event.error ?? null;
      next.stderrTail = event.stderr_tail ?? null;
      next.peakMemoryBytes = event.peak_memory_bytes ?? null;
      next.cpuMs = event.cpu_ms ?? null;
      next.usage = event.usage ?? null;
      if (event.session !== undefined) next.session = event.session || null;
      next.evidence = event.evidence ?? null;
      next.endedSequence = sequence;
      return true;
    case 'task.created':
    case 'task.due':
    case 'task.dependency_met':
    case 'task.claimed':
    case 'task.progress_reported':
    case 'task.output_added':
    case 'task.comment_added':
    case 'task.unblocked':
    case 'task.approved':
    case 'task.rejected':
    case 'task.cancelled':
    case 'task.expired':
    case 'task.redriven':
    case 'task.redacted':
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
      return unreachable(event, 'attempts');
  }
}
