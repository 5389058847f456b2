/**
 * What an attempt creates: a child of its task, in its project and under its budget, reviewed at least as strictly and with
 * no higher priority. An agent must not get others to do what is not reviewed.
 */
import type { TaskView } from '../../../projections/index.ts';
import type { CreateTask, FollowUp } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { AttemptRef } from '../../contracts/ids.ts';
import { refOf, taskOf } from '../../engine/runtime/views.ts';
import { type AppContext, findTask, type Needs } from '../context.ts';
import { defaultReview } from './task-spec.ts';

/** Who creates a task. */
export interface Creator {
  /** `user:<name>` or `agent:<id>`. */
  readonly actor: string;
  /** The attempt that creates it; null for people. */
  readonly attempt: AttemptRef | null;
}

/**
 * The request with what it inherits from the task of the attempt.
 * @throws SignalboxError `forbidden` for a parent outside the tree of that task, or a weaker review
 */
export async function inheritedBy(
  app: AppContext,
  project: string,
  request: CreateTask,
  attempt: AttemptRef,
): Promise<CreateTask> {
  const own = await findTask(app, attempt);
  if (project !== attempt.project) {
    throw new SignalboxError(
      'forbidden',
      `an attempt creates tasks in its own project ${attempt.project} only`,
    );
  }
  return { ...request, ...settled(app, own, request, ''), parent: parentFor(app, own, request.parent) };
}

/** The review that applies to what an attempt creates; that of the task that it serves if it is a review or an answer. */
export async function reviewInForce(app: AppContext, attempt: AttemptRef): Promise<string> {
  return reviewOf(app, await findTask(app, attempt));
}

type Inherited = Pick<FollowUp, 'review' | 'priority' | 'follow_ups'>;

/** @param place of the task within the request, for messages */
function settled(app: AppContext, own: TaskView, request: FollowUp, place: string): Inherited {
  return {
    review: reviewFor(app, own, request, place),
    priority: Math.min(request.priority ?? app.settings.defaults.priority, own.spec.priority),
    follow_ups: request.follow_ups?.map((each, index) => ({
      ...each,
      ...settled(app, own, each, `${place}follow_ups[${index}].`),
    })),
  };
}

/** @returns undefined if the default applies */
function reviewFor(
  app: AppContext,
  own: TaskView,
  { agent, review }: FollowUp,
  place: string,
): string | undefined {
  const least = reviewOf(app, own);
  if (least === 'auto') return review;
  if (review === undefined) {
    const isStricter = defaultReview(app, agent) === 'manual' || least === agent;
    return isStricter ? 'manual' : least;
  }
  if (review === 'manual' || review === least) return review;
  throw new SignalboxError(
    'forbidden',
    `${place}review: what an agent creates is reviewed at least like its own task ${own.id}, by ${least}: give "manual", or leave "review" out`,
    { details: { task: own.id, review: least } },
  );
}

function reviewOf({ state }: Needs<'state.projections'>, { project, spec }: TaskView): string {
  const served = spec.reviews ?? spec.answers;
  if (served === undefined) return spec.review;
  return taskOf(state.projections, { project, task: served.task })?.spec.review ?? 'manual';
}

function parentFor(app: Needs<'state.projections'>, own: TaskView, parent: string | undefined): string {
  if (parent === undefined) return own.id;
  for (let id: string | undefined = parent; id !== undefined; ) {
    if (id === own.id) return parent;
    id = taskOf(app.state.projections, { ...refOf(own), task: id })?.spec.parent;
  }
  throw new SignalboxError(
    'forbidden',
    `parent: what an agent creates belongs to its own task ${own.id}: give that task or one below it, or leave "parent" out`,
    { details: { task: own.id } },
  );
}
