/** A task with everything that belongs to it, in the present and in the past. */
import { attemptKey } from '../../src/contracts/ids.ts';
import type { EventAnswer, TaskAnswer } from '../api/types.ts';
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

/** The task as it was after an event of the board: without later outputs, comments, attempts and events. */
export function asItWas(task: WholeTask, { sequence, cards }: Board): WholeTask {
  const events = task.events.filter((event) => event.sequence <= sequence);
  const last = events.at(-1);
  const card = cards.get(keyOf(task));
  const until = last?.time ?? task.created_at;
  const isKnown = ({ time }: { readonly time: string }): boolean => time <= until;
  const attempts = (task.attempts ?? [])
    .filter(({ claimed_at }) => claimed_at <= until)
    .map((attempt) => {
      const key = attemptKey({ project: task.project, task: task.id, attempt: attempt.attempt });
      const moved = events.flatMap(({ transitions }) =>
        transitions.filter(({ entity, id }) => entity === 'attempt' && id === key),
      );
      const isOver = attempt.ended_at !== null && attempt.ended_at <= until;
      const hasStarted = attempt.started_at !== null && attempt.started_at <= until;
      return {
        ...attempt,
        status: moved.at(-1)?.to ?? attempt.status,
        started_at: hasStarted ? attempt.started_at : null,
        ended_at: isOver ? attempt.ended_at : null,
      };
    });
  return {
    ...task,
    status: card?.status ?? task.status,
    finished_at: card ? card.finished_at : task.finished_at,
    outputs: (task.outputs ?? []).filter(isKnown),
    comments: (task.comments ?? []).filter(isKnown),
    attempts,
    events,
  };
}
