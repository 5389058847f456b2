/** The tasks below a task, in sum. */
import type { TaskView } from '../../../projections/index.ts';
import type { Needs } from '../context.ts';
import type { Json } from './task-json.ts';

/** In the order of creation. */
export function childrenOf({ state }: Needs<'state.projections'>, parent: TaskView): TaskView[] {
  const { children, tasks } = state.projections.blackboard;
  const keys = children.get(`${parent.project}/${parent.id}`) ?? [];
  return keys.flatMap((key) => tasks.get(key) ?? []);
}

export function childrenJson(children: readonly TaskView[]): Json {
  const by_status: Record<string, number> = {};
  for (const { state } of children) by_status[state] = (by_status[state] ?? 0) + 1;
  return { total: children.length, by_status, ids: children.map(({ id }) => id) };
}

export function childrenOutputsJson(children: readonly TaskView[]): Json[] {
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
