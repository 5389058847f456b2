/** The children of a task. */

import type { TaskView } from '../../../projections/index.ts';
import type { TaskAnswer } from '../../contracts/api/answers.ts';
import { taskKey } from '../../contracts/ids.ts';
import type { Needs } from '../context.ts';

type Children = NonNullable<TaskAnswer['children']>;

/** In the order of creation. */
export function childrenOf({ state }: Needs<'state.projections'>, parent: TaskView): TaskView[] {
  const { children, tasks } = state.projections.blackboard;
  const keys = children.get(taskKey({ project: parent.project, task: parent.id })) ?? [];
  return keys.flatMap((key) => tasks.get(key) ?? []);
}

export function childrenJson(children: readonly TaskView[]): Children {
  const by_status: Children['by_status'] = {};
  for (const { state } of children) by_status[state] = (by_status[state] ?? 0) + 1;
  return { total: children.length, by_status, ids: children.map(({ id }) => id) };
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
