/** Dead letters: tasks that used up their attempts, or expired. */
import type { TaskView } from '../../../projections/index.ts';
import type { DeadLetter, DeadLetterPage, RedriveAnswer } from '../../contracts/api/answers.ts';
import type { ListDeadLetters, Redrive } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { DEAD_STATES, isDeadState, type TaskState } from '../../contracts/tasks.ts';
import { attemptsOf, refOf } from '../../engine/runtime/views.ts';
import { type AppContext, archivedError, deciderOf, type Needs, recall, taskInMemory } from '../context.ts';
import { assertMayRunAgain } from './decide-task.ts';
import { findTasks } from './read-tasks.ts';
import { attemptJson, taskJson } from './task-json.ts';

type Redriven = RedriveAnswer['redriven'][number];
type DeadState = Redriven['status'];
type NotRedriven = RedriveAnswer['errors'][number];

/** In the order of their creation. */
export function listDeadLetters(app: AppContext, query: ListDeadLetters): DeadLetterPage {
  const { tasks, next } = findTasks(app, { ...query, ...narrowed(query) });
  return { dead_letters: tasks.map((task) => deadLetterJson(app, task)), next };
}

/**
 * Puts dead letters back to pending with fresh attempts; a dry run only lists them. Each is redriven or stays unchanged,
 * independently of the others. `limit` and `after` apply to filters; given ids are all redriven.
 * @throws SignalboxError `log_unavailable`, `overloaded`, `log_fenced`: then none was redriven
 */
export async function redriveDeadLetters(
  app: AppContext,
  request: Redrive,
  actor: string,
): Promise<RedriveAnswer> {
  const { dry_run, comment } = request;
  const { tasks, errors, next } = request.ids
    ? await named(app, request, request.ids)
    : matching(app, request);
  if (!dry_run) app.log.assertWritable();
  const by = deciderOf(request, actor);
  const answer: RedriveAnswer = { dry_run, redriven: [], errors: [...errors], next };
  const redrive = async (task: TaskView): Promise<void> => {
    const { project, id, spec, attempts, reason } = task;
    const status = deadState(task.state);
    try {
      assertMayRunAgain(app, task);
      if (!dry_run) {
        await app.log.commit({ type: 'task.redriven', project, task: id, comment }, { actor: by });
      }
      answer.redriven.push({ project, id, title: spec.title, attempt: attempts, status, last_error: reason });
    } catch (error) {
      // The task has moved on, or the log became unavailable. Other errors are bugs.
      if (!(error instanceof SignalboxError)) throw error;
      answer.errors.push({ project, id, code: error.code, detail: error.message });
    }
  };
  await Promise.all(tasks.map(redrive));
  return answer;
}

interface Candidates {
  readonly tasks: readonly TaskView[];
  readonly errors: readonly NotRedriven[];
  readonly next: number | null;
}

function matching(app: AppContext, request: Redrive): Candidates {
  return { ...findTasks(app, { ...request, ...narrowed(request) }), errors: [] };
}

async function named(
  app: AppContext,
  { project = '', agent, ...filter }: Redrive,
  ids: readonly string[],
): Promise<Candidates> {
  const wanted = filter.status ?? filter.state;
  const tasks: TaskView[] = [];
  const errors: NotRedriven[] = [];
  for (const id of new Set(ids)) {
    const ref = { project, task: id };
    const task = taskInMemory(app, ref);
    const refuse = (code: string, detail: string): unknown => errors.push({ project, id, code, detail });
    if (!task) {
      const archived = await recall(app, ref);
      if (archived) refuse('task_archived', archivedError(archived.view).message);
      else refuse('task_not_found', `project ${project} has no task ${id}`);
    } else if (!isDeadState(task.state)) {
      const dead = DEAD_STATES.join(' or ');
      refuse('illegal_transition', `task ${id} is ${task.state}: only tasks that are ${dead} are redriven`);
    } else if ((wanted ?? task.state) === task.state && (agent ?? agentOf(task)) === agentOf(task)) {
      tasks.push(task);
    }
  }
  return { tasks, errors, next: null };
}

function narrowed({ project, status, state }: Pick<ListDeadLetters, 'project' | 'status' | 'state'>) {
  const wanted = status ?? state;
  return {
    project: project ?? null,
    states: new Set<TaskState>(wanted === undefined ? DEAD_STATES : [wanted]),
  };
}

function deadState(state: TaskState): DeadState {
  if (isDeadState(state)) return state;
  throw new SignalboxError('internal', `a task that is ${state} is not a dead letter`);
}

function agentOf({ agent, spec }: TaskView): string | undefined {
  return agent ?? spec.agent;
}

function deadLetterJson({ state }: Needs<'state.projections'>, task: TaskView): DeadLetter {
  return {
    ...taskJson(task),
    status: deadState(task.state),
    last_error: task.reason,
    attempts: attemptsOf(state.projections, refOf(task)).map(attemptJson),
  };
}
