/**
 * Reviews by agents: a task whose `review` names an agent gets a task of its own for that agent when it reaches review.
 *
 * V1 Which review there has to be, and what its verdict does, follows from the blackboard alone: a crash in between is
 *    made up for at the next start, and nothing is reviewed or decided twice.
 * V2 A verdict counts for the attempt that was reviewed, and only as long as that one is in review.
 * V3 Nobody reviews its own work; and where no agent can, or the review has come to nothing, a person decides.
 */
import type { Projections, TaskView } from '../../../projections/index.ts';
import { sha256 } from '../../base/hash.ts';
import { REVIEW_WORDS } from '../../contracts/config-values.ts';
import type { SignalboxError } from '../../contracts/errors.ts';
import type { DomainEvent } from '../../contracts/events/events.ts';
import { SETTLED_STATES, type TaskSpec } from '../../contracts/tasks.ts';
import type { ActorHost } from '../runtime/actor-host.ts';
import type { AgentRoster } from './agent-roster.ts';
import type { Relations } from './relations.ts';
import { commentOf, verdictIn } from './verdict.ts';

export interface ReviewsOptions {
  readonly projections: Projections;
  readonly host: ActorHost;
  readonly roster: AgentRoster;
  readonly relations: Relations;
  /** @returns why it was refused; null where it was decided */
  readonly decide: (event: DomainEvent, actor?: string) => SignalboxError | null;
}

const MAX_TITLE = 500;
const MAX_ID = 64;

/** The agent that reviews; null where the word says that none does. */
export function reviewerOf({ review }: TaskSpec): string | null {
  return (REVIEW_WORDS as readonly string[]).includes(review) ? null : review;
}

export class Reviews {
  readonly #options: ReviewsOptions;

  constructor(options: ReviewsOptions) {
    this.#options = options;
  }

  /** The review of the newest attempt of this task; undefined where there is none. */
  reviewOf(task: TaskView): TaskView | undefined {
    for (const id of reviewIds(task)) {
      const found = this.#view(task.project, id);
      if (found && isReviewOf(found, task)) return found;
    }
    return undefined;
  }

  /** A task is in review: its reviewer is put to work, or its verdict is carried out. */
  takeUp(task: TaskView): void {
    const { relations, roster } = this.#options;
    const reviewer = reviewerOf(task.spec);
    if (reviewer === null || task.state !== 'review' || task.openAttempt !== null) return;
    if (relations.awaitedChildren(task).length > 0) return;
    const review = this.reviewOf(task);
    if (review) return this.#carryOut(review, task);
    if (task.agent === reviewer || !roster.get(reviewer)) return; // V3
    this.#create(task, reviewer);
  }

  /** A review is under way: it may have come to its verdict, or be of no use any more. */
  takeUpReview(review: TaskView): void {
    const task = this.#reviewed(review);
    if (task?.state === 'review' && isReviewOf(review, task)) return this.takeUp(task);
    // Whoever has given its verdict ends by itself.
    if (SETTLED_STATES.has(review.state) || verdictIn(review.outputs)) return;
    const reason = `task ${review.spec.reviews?.task} is not in review any more`;
    this.#options.decide({ type: 'task.cancelled', project: review.project, task: review.id, reason });
  }

  /** The task has left its review, by whatever decision. */
  onLeft(task: TaskView): void {
    const review = this.reviewOf(task);
    if (review) this.takeUpReview(review);
  }

  #carryOut(review: TaskView, { project, id: task, openAttempt }: TaskView): void {
    const verdict = verdictIn(review.outputs);
    if (!verdict || openAttempt !== null) return;
    const actor = `agent:${review.agent ?? review.spec.agent}`;
    const decision: DomainEvent =
      verdict.verdict === 'approve'
        ? { type: 'task.approved', project, task, comment: verdict.comment }
        : { type: 'task.rejected', project, task, comment: commentOf(verdict) };
    // It may be decided already, and not stored yet.
    if (this.#options.host.get('task', `${project}/${task}`)?.state === 'review')
      this.#options.decide(decision, actor);
  }

  #create(task: TaskView, reviewer: string): void {
    const { host, decide } = this.#options;
    const { project, spec, attempts } = task;
    const id = reviewIds(task).find((each) => !host.get('task', `${project}/${each}`));
    if (id === undefined || this.#isUnderWay(task)) return;
    decide({
      type: 'task.created',
      project,
      task: id,
      spec: {
        title: `Review: ${spec.title}`.slice(0, MAX_TITLE),
        description: '',
        type: 'review',
        agent: reviewer,
        priority: spec.priority,
        max_attempts: spec.max_attempts,
        backoff: spec.backoff,
        review: 'auto',
        outputs: 'optional',
        source: `review of ${task.id}`,
        labels: spec.labels,
        // In the same tree, so that the budget counts.
        parent: task.id,
        reviews: { task: task.id, attempt: attempts },
      },
      request_sha256: reviewHash(task),
    });
  }

  /** Created, and on its way into the log: the blackboard does not know of it yet. */
  #isUnderWay(task: TaskView): boolean {
    const [first = ''] = reviewIds(task);
    const key = `${task.project}/${first}`;
    return this.#options.host.get('task', key) !== undefined && this.#view(task.project, first) === undefined;
  }

  #reviewed({ project, spec }: TaskView): TaskView | undefined {
    return spec.reviews && this.#view(project, spec.reviews.task);
  }

  #view(project: string, id: string): TaskView | undefined {
    return this.#options.projections.blackboard.tasks.get(`${project}/${id}`);
  }
}

function isReviewOf({ spec: { reviews } }: TaskView, task: TaskView): boolean {
  return reviews?.task === task.id && reviews.attempt === task.attempts;
}

/** The same at every try. The second is for a task that somebody has given the first one's id. */
function reviewIds(task: TaskView): string[] {
  const plain = `${task.id}-r${task.attempts}`;
  const other = `${task.id.slice(0, 40)}-r${reviewHash(task).slice(0, 20)}`;
  return plain.length <= MAX_ID ? [plain, other] : [other];
}

function reviewHash({ project, id, attempts }: TaskView): string {
  return sha256(`review of ${project}/${id}, attempt ${attempts}`);
}
