/** Finding the views of tasks and attempts by reference. */
import type { AttemptView, Projections, TaskView } from '../../../projections/index.ts';
import { type AttemptRef, type TaskRef, taskKey } from '../../contracts/ids.ts';
import { SETTLED_STATES } from '../../contracts/tasks.ts';

type Tasks = Pick<Projections, 'blackboard'>;
type Attempts = Pick<Projections, 'attempts'>;

export function refOf({ project, id }: Pick<TaskView, 'project' | 'id'>): TaskRef {
  return { project, task: id };
}

export function viewKey({ project, id }: Pick<TaskView, 'project' | 'id'>): string {
  return taskKey({ project, task: id });
}

/** Whether it is below its parent for the budget, and no part of its work: a review of it, or the answer to its question. */
export function isAuxiliary({ reviews, answers }: TaskView['spec']): boolean {
  return reviews !== undefined || answers !== undefined;
}

/** The task, if it is in memory. */
export function taskOf({ blackboard }: Tasks, ref: TaskRef): TaskView | undefined {
  return blackboard.tasks.get(taskKey(ref));
}

/** All attempts of a task in memory, the first one first. */
export function attemptsOf({ attempts }: Attempts, ref: TaskRef): readonly AttemptView[] {
  return attempts.byTask.get(taskKey(ref)) ?? [];
}

export function attemptOf(projections: Attempts, ref: AttemptRef): AttemptView | undefined {
  return attemptsOf(projections, ref)[ref.attempt - 1];
}

export function childrenOf({ blackboard }: Tasks, ref: TaskRef): TaskView[] {
  const keys = blackboard.children.get(taskKey(ref)) ?? [];
  return keys.flatMap((key) => blackboard.tasks.get(key) ?? []);
}

/** The tasks below a task that have not ended, at any depth. */
export function unsettledBelow(projections: Tasks, task: TaskView): readonly TaskView[] {
  return childrenOf(projections, refOf(task)).flatMap((child) => [
    ...(SETTLED_STATES.has(child.state) ? [] : [child]),
    ...unsettledBelow(projections, child),
  ]);
}

/** The task above a task that was cancelled with everything below it; null if there is none. */
export function cancelledAbove(projections: Tasks, { project, spec }: TaskView): TaskView | null {
  for (let id = spec.parent; id !== undefined; ) {
    const above = taskOf(projections, { project, task: id });
    if (above?.cancelsChildren) return above;
    id = above?.spec.parent;
  }
  return null;
}
