/** Reads tasks from the blackboard, also while the log cannot be written. */
import type { TaskView } from '../../../projections/index.ts';
import { normalForm, searchForm } from '../../base/text/normal-form.ts';
import type { EventAnswer, TaskAnswer, TaskPageAnswer } from '../../contracts/api/answers.ts';
import type { Expansion, ListTasks } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { TaskRef } from '../../contracts/ids.ts';
import { isTaskState, TASK_STATES, type TaskState } from '../../contracts/tasks.ts';
import { childrenOf } from '../../engine/runtime/views.ts';
import { findAttempts, findTask, type Needs, type Readable } from '../context.ts';
import {
  attemptJson,
  childrenJson,
  childrenOutputsJson,
  commentJson,
  eventJson,
  outputJson,
  taskJson,
} from './task-json.ts';

/** One task with the parts that were asked for. @throws SignalboxError `task_not_found` */
export async function readTask(
  app: Readable,
  ref: TaskRef,
  expand: ReadonlySet<Expansion>,
): Promise<TaskAnswer> {
  const view = await findTask(app, ref);
  const json = taskJson(view);
  const children = childrenOf(app.state.projections, ref);
  if (children.length > 0) json.children = childrenJson(children);
  if (children.length > 0 && expand.has('outputs')) json.children_outputs = childrenOutputsJson(children);
  if (expand.has('outputs'))
    json.outputs = view.outputs.map((output) => outputJson(output, app.settings.directories.content));
  if (expand.has('comments')) json.comments = view.comments.map(commentJson);
  if (expand.has('attempts')) {
    json.attempts = (await findAttempts(app, ref)).map(attemptJson);
  }
  if (expand.has('events')) {
    const events: EventAnswer[] = [];
    for await (const record of app.log.history(ref)) events.push(eventJson(record));
    json.events = events;
  }
  return json;
}

/** Tasks of a project, or of all, in the order of creation. @throws SignalboxError `invalid_request` */
export function listTasks(
  app: Needs<'state.projections'>,
  project: string | null,
  query: ListTasks,
): TaskPageAnswer {
  const { tasks, next } = findTasks(app, {
    ...query,
    project,
    states: statesOf(query.status ?? query.state),
  });
  return { tasks: tasks.map(taskJson), next };
}

interface TaskQuery {
  /** null for all. */
  readonly project: string | null;
  /** null for all. */
  readonly states: ReadonlySet<TaskState> | null;
  /** The agent of its newest attempt, or the one that it is for. */
  readonly agent?: string | undefined;
  readonly type?: string | undefined;
  readonly parent?: string | undefined;
  /** `NAME=VALUE` */
  readonly label?: string | undefined;
  /** Words that all occur in its id, title or description. */
  readonly q?: string | undefined;
  readonly after: number;
  readonly limit: number;
}

/** The matching tasks, in the order of creation. */
export function findTasks(
  app: Needs<'state.projections'>,
  query: TaskQuery,
): { readonly tasks: readonly TaskView[]; readonly next: number | null } {
  const { after, limit } = query;
  const matches = filterOf(query);
  const tasks: TaskView[] = [];
  for (const task of app.state.projections.blackboard.tasks.values()) {
    if (task.createdSequence <= after) continue;
    if (!matches(task)) continue;
    if (tasks.length === limit) return { tasks, next: tasks.at(-1)?.createdSequence ?? null };
    tasks.push(task);
  }
  return { tasks, next: null };
}

function filterOf({
  project,
  states,
  agent,
  type,
  parent,
  label,
  q,
}: TaskQuery): (task: TaskView) => boolean {
  const words = searchForm(q ?? '').split(/\s+/);
  const [name = '', ...value] = normalForm(label ?? '').split('=');
  return (task) => {
    const { spec } = task;
    if (project !== null && task.project !== project) return false;
    if (states !== null && !states.has(task.state)) return false;
    if (agent !== undefined && agent !== (task.agent ?? spec.agent)) return false;
    if (type !== undefined && type !== spec.type) return false;
    if (parent !== undefined && parent !== spec.parent) return false;
    if (label !== undefined && !hasLabel(spec.labels, name, value.join('='))) return false;
    return q === undefined || holdsAll(words, `${task.id}\n${spec.title}\n${spec.description}`);
  };
}

function holdsAll(words: readonly string[], text: string): boolean {
  const searched = searchForm(text);
  return words.every((word) => searched.includes(word));
}

/** Tasks of earlier versions have labels as they were written, in any normal form. */
function hasLabel(labels: Readonly<Record<string, string>> = {}, name: string, value: string): boolean {
  return Object.entries(labels).some(
    ([each, text]) => normalForm(each) === name && normalForm(text) === value,
  );
}

function statesOf(text: string | undefined): ReadonlySet<TaskState> | null {
  if (text === undefined) return null;
  const names = text.split(',');
  const unknown = names.find((name) => !isTaskState(name));
  if (unknown === undefined) return new Set(names.filter(isTaskState));
  throw new SignalboxError(
    'invalid_request',
    `status: ${JSON.stringify(unknown)} is not one of ${TASK_STATES.join(', ')}`,
  );
}
