/** Reads tasks from the blackboard, also while the log cannot be written. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TaskView } from '../../../projections/index.ts';
import { normalForm, searchForm } from '../../base/text/normal-form.ts';
import type { EventAnswer, TaskAnswer, TaskPageAnswer } from '../../contracts/api/answers.ts';
import type { Expansion, ListTasks } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { TaskRef } from '../../contracts/ids.ts';
import { isTaskState, TASK_STATES, type TaskState } from '../../contracts/tasks.ts';
import { childrenOf, unsettledBelow } from '../../engine/runtime/views.ts';
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
  if (children.length > 0)
    json.children = childrenJson(children, unsettledBelow(app.state.projections, view).length);
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
export async function listTasks(
  app: Needs<'state.projections'>,
  project: string | null,
  query: ListTasks,
): Promise<TaskPageAnswer> {
  const { q, ...filter } = query;
  const wanted = { ...filter, project, states: statesOf(query.status ?? query.state) };
  const { tasks, next } = q === undefined ? findTasks(app, wanted) : await searchTasks(app, wanted, q);
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
  readonly after: number;
  readonly limit: number;
}

interface FoundTasks {
  readonly tasks: readonly TaskView[];
  readonly next: number | null;
}

/** The matching tasks, in the order of creation. */
export function findTasks(app: Needs<'state.projections'>, query: TaskQuery): FoundTasks {
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

/** Milliseconds of searching between two turns of the event loop: agents can write much, and must not block it. */
const SEARCH_SLICE_MS = 5;
/** Characters of an output, and outputs of a task, the newest, that are searched. */
const SEARCHED_CONTENT = 20_000;
const SEARCHED_OUTPUTS = 10;

/** The matching tasks with all of the words, in the order of creation. @param q words, separated by spaces */
async function searchTasks(
  app: Needs<'state.projections'>,
  query: TaskQuery,
  q: string,
): Promise<FoundTasks> {
  const { after, limit } = query;
  const matches = filterOf(query);
  const words = searchForm(q).split(/\s+/);
  const tasks: TaskView[] = [];
  let began = performance.now();
  for (const task of app.state.projections.blackboard.tasks.values()) {
    if (performance.now() - began > SEARCH_SLICE_MS) {
      await nextTurn();
      began = performance.now();
    }
    if (task.createdSequence <= after || !matches(task) || !hasWords(task, words)) continue;
    if (tasks.length === limit) return { tasks, next: tasks.at(-1)?.createdSequence ?? null };
    tasks.push(task);
  }
  return { tasks, next: null };
}

function hasWords({ id, agent, spec, outputs }: TaskView, words: readonly string[]): boolean {
  const { title, description, type = '', labels = {} } = spec;
  const about = [id, title, description, agent ?? spec.agent ?? '', type, ...Object.entries(labels).flat()];
  const produced = outputs
    .slice(-SEARCHED_OUTPUTS)
    .flatMap((output) => [
      output.title,
      output.summary ?? '',
      (output.content ?? '').slice(0, SEARCHED_CONTENT),
    ]);
  const searched = searchForm([...about, ...produced].join('\n'));
  return words.every((word) => searched.includes(word));
}

function filterOf({ project, states, agent, type, parent, label }: TaskQuery): (task: TaskView) => boolean {
  const [name = '', ...value] = normalForm(label ?? '').split('=');
  return (task) => {
    const { spec } = task;
    if (project !== null && task.project !== project) return false;
    if (states !== null && !states.has(task.state)) return false;
    if (agent !== undefined && agent !== (task.agent ?? spec.agent)) return false;
    if (type !== undefined && type !== spec.type) return false;
    if (parent !== undefined && parent !== spec.parent) return false;
    return label === undefined || hasLabel(spec.labels, name, value.join('='));
  };
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
