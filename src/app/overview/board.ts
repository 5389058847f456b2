/** The board: a small card for each relevant task. */

import type { AttemptHistory, Blackboard, TaskView } from '../../../projections/index.ts';
import { type BoardCard, NOTE_LENGTH, SETTLED_CARDS } from '../../contracts/api/board.ts';
import { SETTLED_STATES, type TaskState } from '../../contracts/tasks.ts';
import { viewKey } from '../../engine/runtime/views.ts';
import { timeOf } from '../tasks/task-json.ts';

export interface BoardState {
  readonly blackboard: Pick<Blackboard, 'tasks'>;
  readonly attempts: Pick<AttemptHistory, 'byTask'>;
}

/** Cards of all unsettled tasks, and of the newest tasks of each settled state. @param project default: all */
export function cardsOf(state: BoardState, project?: string): BoardCard[] {
  const shown: TaskView[] = [];
  const settled = new Map<TaskState, TaskView[]>();
  for (const task of state.blackboard.tasks.values()) {
    if (project !== undefined && task.project !== project) continue;
    if (!SETTLED_STATES.has(task.state)) shown.push(task);
    else if (!settled.get(task.state)?.push(task)) settled.set(task.state, [task]);
  }
  for (const tasks of settled.values()) shown.push(...tasks.sort(newestFirst).slice(0, SETTLED_CARDS));
  return shown.map((task) => cardOf(state, task));
}

/** The younger task first if both settled at the same time: the order is deterministic. */
function newestFirst(a: TaskView, b: TaskView): number {
  return (b.finishedAt ?? 0) - (a.finishedAt ?? 0) || b.createdSequence - a.createdSequence;
}

export function cardOf({ attempts }: BoardState, task: TaskView): BoardCard {
  const { spec, openAttempt } = task;
  const open = openAttempt === null ? undefined : attempts.byTask.get(viewKey(task))?.[openAttempt - 1];
  return {
    project: task.project,
    id: task.id,
    title: spec.title,
    status: task.state,
    type: spec.type ?? null,
    priority: spec.priority,
    agent: task.agent ?? spec.agent ?? null,
    attempt: task.attempts,
    max_attempts: spec.max_attempts,
    attempt_status: open?.state ?? null,
    deadline: timeOf(open?.deadline ?? null),
    review: spec.review,
    note: shortened(task.reason ?? task.progress),
    due_at: task.state === 'scheduled' ? timeOf(task.dueAt) : null,
    outputs: task.outputs.length,
    comments: task.comments.length,
    created_at: timeOf(task.createdAt),
    updated_at: timeOf(task.updatedAt),
    finished_at: timeOf(task.finishedAt),
    sequence: task.lastSequence,
  };
}

function shortened(text: string | null): string | null {
  return text !== null && text.length > NOTE_LENGTH ? `${text.slice(0, NOTE_LENGTH - 1)}…` : text;
}
