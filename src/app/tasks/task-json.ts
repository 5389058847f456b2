/** Tasks, attempts and events as answers: names in snake_case, times in RFC 3339, UTC. */
import { join } from 'node:path';
import type { AttemptView, CommentView, OutputView, TaskView } from '../../../projections/index.ts';
import type {
  AttemptAnswer,
  CommentAnswer,
  EventAnswer,
  FollowUpAnswer,
  OutputAnswer,
  TaskAnswer,
} from '../../contracts/api/answers.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { answerFieldsOf } from '../../contracts/task-fields.ts';
import type { FollowUpSpec, TaskSpec } from '../../contracts/tasks.ts';
import { figuresJson } from './usage-json.ts';

type ChildrenAnswer = NonNullable<TaskAnswer['children']>;

export function timeOf(milliseconds: number): string;
export function timeOf(milliseconds: number | null): string | null;
export function timeOf(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}

export function taskJson(task: TaskView): TaskAnswer {
  const { spec } = task;
  return {
    project: task.project,
    id: task.id,
    status: task.state,
    version: task.version,
    ...specJson(spec),
    claimed_by: task.agent,
    attempt: task.attempts,
    attempts_used: task.attemptsUsed,
    open_attempt: task.openAttempt,
    last_outcome: task.lastOutcome,
    usage: task.usage && figuresJson(task.usage),
    reason: task.reason,
    progress: task.progress,
    due_at: task.state === 'scheduled' ? timeOf(task.dueAt) : null,
    output_count: task.outputs.length,
    comment_count: task.comments.length,
    created_at: timeOf(task.createdAt),
    updated_at: timeOf(task.updatedAt),
    finished_at: timeOf(task.finishedAt),
    sequence: task.lastSequence,
  };
}

function specJson(spec: TaskSpec | FollowUpSpec) {
  return {
    ...answerFieldsOf(spec),
    outputs_required: spec.outputs === 'required',
    follow_ups: (spec.follow_ups ?? []).map(followUpJson),
  };
}

function followUpJson(spec: FollowUpSpec): FollowUpAnswer {
  return { ...specJson(spec), delay_seconds: spec.delay_ms === undefined ? null : spec.delay_ms / 1_000 };
}

/** @param unsettledBelow how many tasks below have not ended, at any depth */
export function childrenJson(children: readonly TaskView[], unsettledBelow: number): ChildrenAnswer {
  const by_status: ChildrenAnswer['by_status'] = {};
  for (const { state } of children) by_status[state] = (by_status[state] ?? 0) + 1;
  return {
    total: children.length,
    by_status,
    ids: children.map(({ id }) => id),
    unsettled_below: unsettledBelow,
  };
}

export function childrenOutputsJson(
  children: readonly TaskView[],
): NonNullable<TaskAnswer['children_outputs']> {
  return children.flatMap(({ id, outputs }) =>
    outputs.map(({ number, type, title, summary }) => ({
      task: id,
      number,
      type,
      title,
      summary: summary ?? null,
    })),
  );
}

/** @param contentDirectory the directory of captured files */
export function outputJson(output: OutputView, contentDirectory: string): OutputAnswer {
  const file = output.content_file;
  return {
    number: output.number,
    attempt: output.attempt,
    agent: output.agent,
    type: output.type,
    title: output.title,
    summary: output.summary ?? null,
    content: output.content ?? null,
    content_file: file ? { ...file, stored_at: join(contentDirectory, file.sha256) } : null,
    diff: output.diff ?? null,
    time: timeOf(output.time),
  };
}

export function commentJson(comment: CommentView): CommentAnswer {
  return { author: comment.author, body: comment.body, time: timeOf(comment.time) };
}

export function attemptJson(attempt: AttemptView): AttemptAnswer {
  const { claimedAt, startedAt, endedAt } = attempt;
  return {
    attempt: attempt.attempt,
    agent: attempt.agent,
    status: attempt.state,
    outcome: attempt.outcome,
    error: attempt.error,
    exit_code: attempt.exitCode,
    signal: attempt.signal,
    stop_reason: attempt.stopReason,
    driver: attempt.driver,
    host: attempt.host,
    pid: attempt.pid,
    claimed_at: timeOf(claimedAt),
    started_at: timeOf(startedAt),
    ended_at: timeOf(endedAt),
    deadline: timeOf(attempt.deadline),
    duration_ms: endedAt === null ? null : endedAt - (startedAt ?? claimedAt),
    cpu_ms: attempt.cpuMs,
    peak_memory_bytes: attempt.peakMemoryBytes,
    usage: attempt.usage,
    session: attempt.session,
    stderr_tail: attempt.stderrTail,
    evidence: attempt.evidence,
    transcript: attempt.transcript,
    rejected_messages: attempt.rejected.map((each) => ({ ...each, time: timeOf(each.time) })),
  };
}

export function eventJson(record: StoredRecord): EventAnswer {
  const { sequence, id, time, actor, cause, event, transitions } = record;
  return {
    sequence,
    id,
    time: timeOf(time),
    actor,
    cause: cause ?? null,
    event,
    transitions: [...transitions],
  };
}
