/** A task with everything that belongs to it, in the present and in the past. */
import { costSourceOf } from '../../src/contracts/cost-source.ts';
import { type AttemptRef, attemptKey } from '../../src/contracts/ids.ts';
import type { AttemptAnswer, EventAnswer, TaskAnswer } from '../api/types.ts';
import { type Board, keyOf } from './cards.ts';

export type WholeTask = Omit<TaskAnswer, 'events'> & { readonly events: EventAnswer[] };

/** A period in which the task was in one state. */
export interface Stay {
  readonly state: string;
  readonly from: string;
  /** null if it still is. */
  readonly to: string | null;
}

/** The states of a task, in order. */
export function staysOf({ project, id, events, finished_at }: WholeTask): readonly Stay[] {
  const key = keyOf({ project, id });
  const moves = events.flatMap(({ time, transitions }) =>
    transitions
      .filter((each) => each.entity === 'task' && each.id === key && each.from !== each.to)
      .map(({ to }) => ({ state: to, from: time })),
  );
  return moves.map((move, index) => ({ ...move, to: moves[index + 1]?.from ?? finished_at }));
}

/** The task as it was after an event of the board: nothing that came later is left in it. */
export function asItWas(task: WholeTask, { sequence, cards }: Board): WholeTask {
  const { project, id: name } = task;
  const events = task.events.filter((event) => event.sequence <= sequence);
  const card = cards.get(keyOf(task));
  const until = events.at(-1)?.time ?? task.created_at;
  const isKnown = ({ time }: { readonly time: string }): boolean => time <= until;
  const attempts = (task.attempts ?? [])
    .filter(({ claimed_at }) => claimed_at <= until)
    .map((attempt) =>
      attemptAsItWas({ project, task: name, attempt: attempt.attempt }, attempt, events, until),
    );
  const outputs = (task.outputs ?? []).filter(isKnown);
  const comments = (task.comments ?? []).filter(isKnown);
  const children = task.children?.ids.filter((id) => cards.has(keyOf({ project, id })));
  const { children: _children, children_outputs: _outputs, ...rest } = task;
  return {
    ...rest,
    ...beforeEdits(task, sequence),
    ...(children?.length && {
      children: { total: children.length, by_status: {}, ids: children, unsettled_below: 0 },
    }),
    ...(card && {
      status: card.status,
      priority: card.priority,
      attempt: card.attempt,
      attempts_used: card.attempts_used,
      due_at: card.due_at,
      finished_at: card.finished_at,
      updated_at: card.updated_at,
      sequence: card.sequence,
      reason: card.note_kind === 'reason' ? card.note : null,
      progress: card.note_kind === 'progress' ? card.note : null,
    }),
    usage: usageOf(attempts),
    claimed_by: attempts.at(-1)?.agent ?? null,
    open_attempt: attempts.find(({ ended_at }) => ended_at === null)?.attempt ?? null,
    last_outcome: attempts.findLast(({ ended_at }) => ended_at !== null)?.outcome ?? null,
    output_count: outputs.length,
    comment_count: comments.length,
    outputs,
    comments,
    attempts,
    events,
  };
}

/** What the attempts have used that have ended; null if none has used anything. */
function usageOf(attempts: readonly AttemptAnswer[]): WholeTask['usage'] {
  const used = attempts.filter(
    ({ started_at, ended_at, usage }) => ended_at !== null && (started_at !== null || usage !== null),
  );
  if (used.length === 0) return null;
  const sum = (of: (usage: AttemptAnswer['usage']) => number | undefined): number =>
    used.reduce((total, { usage }) => total + (of(usage) ?? 0), 0);
  const without = (isKnown: (usage: AttemptAnswer['usage']) => boolean): number =>
    used.filter(({ usage }) => !isKnown(usage)).length;
  const withoutTokens = without(
    (usage) => usage?.input_tokens !== undefined && usage.output_tokens !== undefined,
  );
  const withoutCost = without((usage) => costSourceOf(usage) !== 'unknown');
  const input_tokens = sum((usage) => usage?.input_tokens);
  const output_tokens = sum((usage) => usage?.output_tokens);
  return {
    attempts: used.length,
    tokens: withoutTokens === used.length ? null : input_tokens + output_tokens,
    input_tokens,
    output_tokens,
    cache_read_tokens: sum((usage) => usage?.cache_read_tokens),
    cache_write_tokens: sum((usage) => usage?.cache_write_tokens),
    cost_usd: withoutCost === used.length ? null : sum((usage) => usage?.cost_usd),
    estimated_cost_usd: sum((usage) => (costSourceOf(usage) === 'estimated' ? usage?.cost_usd : 0)),
    attempts_without_tokens: withoutTokens,
    attempts_without_cost: withoutCost,
  };
}

/** What was to be done before the edits after an event: each of them says what it has changed. */
function beforeEdits({ events }: WholeTask, sequence: number): Partial<TaskAnswer> {
  const later = events.filter((each) => each.sequence > sequence).toReversed();
  const values = later.flatMap(({ event }) =>
    event.type !== 'task.edited'
      ? []
      : Object.entries(event.changes).map(([name, change]): [string, unknown] =>
          name === 'expires_at_ms'
            ? ['expires_at', change?.from == null ? null : new Date(Number(change.from)).toISOString()]
            : [name, change?.from ?? NO_VALUES[name] ?? null],
        ),
  );
  return Object.fromEntries(values);
}

/** What a task is shown with that has no value for one of these. */
const NO_VALUES: Readonly<Record<string, unknown>> = { labels: {}, must_haves: [], links: [] };

function attemptAsItWas(
  ref: AttemptRef,
  attempt: AttemptAnswer,
  events: readonly EventAnswer[],
  until: string,
): AttemptAnswer {
  const key = attemptKey(ref);
  const moved = events.flatMap(({ transitions }) =>
    transitions.filter(({ entity, id }) => entity === 'attempt' && id === key),
  );
  const status = moved.at(-1)?.to ?? attempt.status;
  if (attempt.ended_at !== null && attempt.ended_at <= until) return { ...attempt, status };
  const limits = events.flatMap(({ event }) =>
    'deadline_ms' in event &&
    event.deadline_ms !== undefined &&
    'attempt' in event &&
    event.attempt === ref.attempt
      ? [new Date(event.deadline_ms).toISOString()]
      : [],
  );
  const hasStarted = attempt.started_at !== null && attempt.started_at <= until;
  return {
    ...attempt,
    status,
    started_at: hasStarted ? attempt.started_at : null,
    deadline: limits.at(-1) ?? null,
    ended_at: null,
    outcome: null,
    error: null,
    exit_code: null,
    signal: null,
    stop_reason: null,
    duration_ms: null,
    cpu_ms: null,
    peak_memory_bytes: null,
    usage: null,
    stderr_tail: null,
    evidence: null,
  };
}
