/** Which tasks belong together: children of a parent, dependents of a task, and the task of an idempotency key. */
import { normalForm } from '../src/base/text/normal-form.ts';
import { taskKey } from '../src/contracts/ids.ts';
import type { TaskSpec } from '../src/contracts/tasks.ts';

export interface TaskLinks {
  /** Keys of the children by key of the parent, in the order of creation. */
  readonly children: Map<string, readonly string[]>;
  /** Keys of the tasks that depend on a task, by its key. */
  readonly dependents: Map<string, readonly string[]>;
  /** Task keys by `project/<idempotency key>`. */
  readonly idempotencyKeys: Map<string, string>;
}

interface Linked {
  readonly project: string;
  readonly id: string;
  readonly spec: Pick<TaskSpec, 'parent' | 'depends_on' | 'idempotency_key'>;
}

/** Keys are compared in one normal form; earlier versions stored them as they were sent. */
function idempotencyKeyOf(project: string, key: string): string {
  return normalForm(`${project}/${key}`);
}

export function noLinks(): TaskLinks {
  return { children: new Map(), dependents: new Map(), idempotencyKeys: new Map() };
}

export function copyOfLinks({ children, dependents, idempotencyKeys }: TaskLinks): TaskLinks {
  return {
    children: new Map(children),
    dependents: new Map(dependents),
    idempotencyKeys: new Map(idempotencyKeys),
  };
}

export function link(links: TaskLinks, { project, id, spec }: Linked): void {
  const key = taskKey({ project, task: id });
  if (spec.idempotency_key !== undefined)
    links.idempotencyKeys.set(idempotencyKeyOf(project, spec.idempotency_key), key);
  for (const [index, from] of ends(links, project, spec)) {
    const linked = index.get(from) ?? [];
    if (!linked.includes(key)) index.set(from, [...linked, key]);
  }
}

/** The reverse of `link`, for a task that leaves memory. */
export function unlink(links: TaskLinks, { project, id, spec }: Linked): void {
  const key = taskKey({ project, task: id });
  links.children.delete(key);
  for (const [index, from] of ends(links, project, spec)) {
    const linked = index.get(from)?.filter((each) => each !== key) ?? [];
    if (linked.length > 0) index.set(from, linked);
    else index.delete(from);
  }
  const idempotencyKey = idempotencyKeyOf(project, spec.idempotency_key ?? '');
  if (links.idempotencyKeys.get(idempotencyKey) === key) links.idempotencyKeys.delete(idempotencyKey);
}

/** The tasks from which there are links to a task. */
function* ends(
  { children, dependents }: TaskLinks,
  project: string,
  { parent, depends_on = [] }: Linked['spec'],
): Iterable<[index: Map<string, readonly string[]>, from: string]> {
  if (parent !== undefined) yield [children, taskKey({ project, task: parent })];
  for (const each of depends_on) yield [dependents, taskKey({ project, task: each })];
}
