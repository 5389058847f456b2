/** The attempt history: which agent ran what, when, how it ended, and with what evidence. */
import { type EventOf, REDACTED, type StoredRecord, type TypeAbout } from '../src/contracts/events/events.ts';
import { type AttemptRef, taskKey } from '../src/contracts/ids.ts';
import type { AttemptOutcome, StopReason } from '../src/contracts/tasks.ts';
import type { TranscriptProof } from '../src/contracts/transcript/schemas.ts';
import type { Usage } from '../src/contracts/usage.ts';
import { type Draft, draftOf, type Handlers, onlyMoves, type PastProjection, tableOf } from './projection.ts';

export interface RejectedMessage {
  readonly message: string;
  readonly reason: string;
  readonly time: number;
}

export interface AttemptView extends AttemptRef {
  readonly agent: string;
  /** `requested`, `running`, `suspected`, `waiting`, `stopping`, or an outcome. */
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
  /** Until when it may be silent, because a user gave it more time. */
  readonly silentUntil: number | null;
  /** Milliseconds that it has waited for answers; without the time that it waits now. */
  readonly waitedMs: number;
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
  readonly transcript: TranscriptProof | null;
  /** Sequence of the event of its end. */
  readonly endedSequence: number | null;
  readonly rejected: readonly RejectedMessage[];
}

export interface AttemptHistory {
  /** By task key: attempt 1 first. */
  readonly byTask: Map<string, readonly AttemptView[]>;
}

type AttemptDraft = Draft<AttemptView>;

const NOTHING: readonly never[] = [];

const HANDLERS: Handlers<Exclude<TypeAbout<'attempt'>, 'task.claimed' | 'task.redacted'>, AttemptDraft> = {
  'attempt.started': (next, event, { time }) => {
    next.driver = event.driver;
    next.host = event.host;
    next.pid = event.pid ?? null;
    next.startTime = event.start_time ?? null;
    next.startedAt = time;
    next.deadline = event.deadline_ms;
    next.session = event.session ?? null;
  },
  'attempt.extended': (next, { deadline_ms, silent_until_ms }) => {
    next.deadline = deadline_ms;
    next.silentUntil = silent_until_ms;
  },
  'attempt.stop_requested': (next, { reason }) => {
    next.stopReason = reason;
  },
  'attempt.suspected': onlyMoves,
  'attempt.recovered': onlyMoves,
  'attempt.question_asked': onlyMoves,
  'attempt.question_answered': (next, { deadline_ms }) => {
    if (deadline_ms !== undefined) stopWaiting(next, deadline_ms);
  },
  'attempt.wait_ended': (next, { deadline_ms }) => stopWaiting(next, deadline_ms),
  'attempt.wait_resumed': onlyMoves,
  'task.submitted': onlyMoves,
  'task.failure_reported': onlyMoves,
  'task.blocked': onlyMoves,
  'attempt.message_rejected': (next, { message, reason }, { time }) => {
    next.rejected = [...next.rejected, { message, reason, time }];
  },
  'attempt.ended': (next, event, { time, sequence }) => {
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
    next.transcript = event.transcript ?? null;
    next.endedSequence = sequence;
  },
};
const TABLE = tableOf(HANDLERS);

function stopWaiting(next: AttemptDraft, deadline: number): void {
  next.waitedMs += Math.max(0, deadline - (next.deadline ?? deadline));
  next.deadline = deadline;
}

export const attemptHistory: PastProjection<AttemptHistory> = {
  name: 'attempts',
  version: 5,
  initial: () => ({ byTask: new Map() }),
  evolve(state, record, entries = 'handed out') {
    const { event } = record;
    if (event.type === 'task.claimed') return add(state, event, record);
    if (event.type === 'task.redacted') return redact(state, event);
    const handle = TABLE.get(event.type);
    if (handle === undefined || !('attempt' in event) || event.attempt === null) return;
    const key = taskKey(event);
    const history = state.byTask.get(key) ?? NOTHING;
    const attempt = history[event.attempt - 1];
    if (!attempt) return;
    const next = draftOf(attempt, entries);
    handle(next, event, record);
    const moved = record.transitions.find(({ entity }) => entity === 'attempt');
    if (moved) next.state = moved.to;
    if (next !== attempt) state.byTask.set(key, history.with(event.attempt - 1, next));
  },
  toJSON: (state) => [...state.byTask.entries()],
  forget: (state, task) => {
    state.byTask.delete(task);
  },
  restore: (json) => ({ byTask: new Map(json as [string, readonly AttemptView[]][]) }),
  pieceOf: ({ byTask }, task) => {
    const history = byTask.get(task);
    return history ? ['attempts', task, history] : null;
  },
  *pieces({ byTask }, isTask) {
    for (const [task, history] of byTask) if (!isTask(task)) yield ['attempts', task, history];
  },
  copy: ({ byTask }) => ({ byTask: new Map(byTask) }),
};

function add({ byTask }: AttemptHistory, event: EventOf<'task.claimed'>, { time }: StoredRecord): void {
  const key = taskKey(event);
  const attempt: AttemptView = {
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
    silentUntil: null,
    waitedMs: 0,
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
    transcript: null,
    endedSequence: null,
    rejected: NOTHING,
  };
  byTask.set(key, [...(byTask.get(key) ?? NOTHING), attempt]);
}

/** Erases what an attempt left at its end, if that is the event that was redacted. */
function redact({ byTask }: AttemptHistory, event: EventOf<'task.redacted'>): void {
  const key = taskKey(event);
  const history = byTask.get(key) ?? NOTHING;
  if (!history.some(({ endedSequence }) => endedSequence === event.sequence)) return;
  const next = history.map((attempt) =>
    attempt.endedSequence === event.sequence
      ? { ...attempt, error: attempt.error === null ? null : REDACTED, stderrTail: null, evidence: null }
      : attempt,
  );
  byTask.set(key, next);
}
