/** A task with all that is known of it, and how it was before. */
import type { EventAnswer, TaskAnswer } from '../api/types.ts';
import type { Board } from './cards.ts';

export type WholeTask = Omit<TaskAnswer, 'events'> & { readonly events: EventAnswer[] };

/** For how long the task was in a state. */
export interface Stay {
  readonly state: string;
  readonly from: string;
  /** null where it still is. */
  readonly to: string | null;
}

/** The states that it went through. */
export function staysOf({ project, id, events, finished_at }: WholeTask): readonly Stay[] {
  const moves = events.flatMap(({ time, transitions }) =>
    transitions
      .filter((each) => each.entity === 'task' && each.id === `${project}/${id}` && each.from !== each.to)
      .map(({ to }) => ({ state: to, from: time })),
  );
  return moves.map((move, index) => ({ ...move, to: moves[index + 1]?.from ?? finished_at }));
}

/** What was known of it when an event had been stored: later outputs, comments, attempts and events are not shown. */
export function asItWas(task: WholeTask, { sequence, cards }: Board): WholeTask {
  const events = task.events.filter((event) => event.sequence <= sequence);
  const last = events.at(-1);
  const card = cards.get(`${task.project}/${task.id}`);
  const until = last?.time ?? task.created_at;
  const isKnown = ({ time }: { readonly time: string }): boolean => time <= until;
  const attempts = (task.attempts ?? [])
    .filter(({ claimed_at }) => claimed_at <= until)
    .map((attempt) => {
      const moved = events.flatMap(({ transitions }) =>
        transitions.filter(
          ({ entity, id }) => entity === 'attempt' && id === `${task.project}/${task.id}/${attempt.attempt}`,
        ),
      );
      const isOver = attempt.ended_at !== null && attempt.ended_at <= until;
      const hasStarted = attempt.started_at !== null && attempt.started_at <= until;
      return {
        ...attempt,
        state: moved.at(-1)?.to ?? attempt.status,
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
