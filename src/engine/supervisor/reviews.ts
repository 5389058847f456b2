/**
 * Reviews by agents: if the `review` of a task names an agent, a task for that agent is created when it reaches review.
 *
 * Which review there has to be, and what its verdict does, follows from the blackboard alone: the next start makes up
 * for a crash in between, and nothing is reviewed or decided twice. A verdict counts only while the attempt that was
 * reviewed is in review. No agent reviews its own work; if no agent can review, or the review failed, a user decides.
 */
import { z } from 'zod';
import type { TaskView } from '../../../projections/index.ts';
import { sha256 } from '../../base/hash.ts';
import { cutText } from '../../base/text/cut-text.ts';
import { printedJson } from '../../base/text/printed-json.ts';
import { isReviewMode } from '../../contracts/config-values.ts';
import type { DomainEvent } from '../../contracts/events/events.ts';
import { MAX_TITLE_LENGTH } from '../../contracts/fields.ts';
import { taskKey } from '../../contracts/ids.ts';
import { type Output, SETTLED_STATES, type TaskSpec } from '../../contracts/tasks.ts';
import { reviewTaskIds } from '../runtime/task-ids.ts';
import { refOf, taskOf } from '../runtime/views.ts';
import type { Relations } from './relations.ts';
import type { SupervisorContext } from './supervisor-context.ts';
import { ownApprovalOf } from './workspaces/workspace-facts.ts';

interface ReviewsParts extends SupervisorContext {
  readonly relations: Relations;
}

/** Characters of a comment that go to the next attempt. */
const MAX_COMMENT_LENGTH = 100_000;
/** A rejection needs a comment. */
const NO_COMMENT = 'the reviewer gave no reason';

/** The decision of a reviewing agent, an output of its review: `{"verdict":"approve","comment":"…"}`. */
export interface Verdict {
  readonly verdict: 'approve' | 'reject';
  readonly comment: string | undefined;
}

/** The agent that reviews; null if the review mode names none. */
export function reviewerOf({ review }: TaskSpec): string | null {
  return isReviewMode(review) ? null : review;
}

export class Reviews {
  readonly #options: ReviewsParts;

  constructor(options: ReviewsParts) {
    this.#options = options;
  }

  /** The review of the newest attempt of this task; undefined if there is none. */
  reviewOf(task: TaskView): TaskView | undefined {
    for (const id of reviewIds(task)) {
      const found = this.#view(task.project, id);
      if (found && isReviewOf(found, task)) return found;
    }
    return undefined;
  }

  /** Creates the review of a task in review, or applies its verdict. */
  takeUp(task: TaskView): void {
    const { relations, roster } = this.#options;
    const reviewer = reviewerOf(task.spec);
    if (reviewer === null || task.state !== 'review' || task.openAttempt !== null) return;
    if (relations.awaitedChildren(task).length > 0) return;
    const review = this.reviewOf(task);
    if (review) return this.#apply(review, task);
    if (task.agent === reviewer || !roster.get(reviewer)) return;
    this.#create(task, reviewer);
  }

  /** Applies the verdict of a review, or cancels it if the reviewed task is not in review any more. */
  takeUpReview(review: TaskView): void {
    const task = this.#reviewed(review);
    if (task?.state === 'review' && isReviewOf(review, task)) return this.takeUp(task);
    // A review with a verdict ends by itself.
    if (SETTLED_STATES.has(review.state) || verdictIn(review.outputs)) return;
    const reason = `task ${review.spec.reviews?.task} is not in review any more`;
    this.#options.decide({ type: 'task.cancelled', ...refOf(review), reason });
  }

  /** Reacts to a task that has left review. */
  onLeft(task: TaskView): void {
    const review = this.reviewOf(task);
    if (review) this.takeUpReview(review);
  }

  #apply(review: TaskView, { project, id: task, openAttempt }: TaskView): void {
    const verdict = verdictIn(review.outputs);
    if (!verdict || openAttempt !== null) return;
    const actor = `agent:${review.agent ?? review.spec.agent}`;
    const { comment } = verdict;
    const decision: DomainEvent | null =
      verdict.verdict === 'approve'
        ? ownApprovalOf(this.#options.projections, { type: 'task.approved', project, task, comment })
        : { type: 'task.rejected', project, task, comment: comment ?? NO_COMMENT };
    if (decision === null) return;
    // The decision may be waiting to be stored.
    if (this.#options.host.get('task', taskKey({ project, task }))?.state === 'review')
      this.#options.decide(decision, actor);
  }

  #create(task: TaskView, reviewer: string): void {
    const { host, decide } = this.#options;
    const { project, spec, attempts } = task;
    const id = reviewIds(task).find((each) => !host.get('task', taskKey({ project, task: each })));
    if (id === undefined || this.#isBeingCreated(task)) return;
    decide({
      type: 'task.created',
      project,
      task: id,
      spec: {
        title: cutText(`Review: ${spec.title}`, MAX_TITLE_LENGTH),
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
        // In the same tree, so that it counts for the budget.
        parent: task.id,
        reviews: { task: task.id, attempt: attempts },
      },
      request_sha256: reviewHash(task),
    });
  }

  /** Whether its creation is waiting to be stored: then the blackboard does not have it yet. */
  #isBeingCreated(task: TaskView): boolean {
    const [first = ''] = reviewIds(task);
    const key = taskKey({ project: task.project, task: first });
    return this.#options.host.get('task', key) !== undefined && this.#view(task.project, first) === undefined;
  }

  #reviewed({ project, spec }: TaskView): TaskView | undefined {
    return spec.reviews && this.#view(project, spec.reviews.task);
  }

  #view(project: string, id: string): TaskView | undefined {
    return taskOf(this.#options.projections, { project, task: id });
  }
}

function isReviewOf({ spec: { reviews } }: TaskView, task: TaskView): boolean {
  return reviews?.task === task.id && reviews.attempt === task.attempts;
}

function reviewIds(task: TaskView): string[] {
  return reviewTaskIds(task.id, task.attempts, reviewHash(task));
}

function reviewHash({ project, id, attempts }: TaskView): string {
  return sha256(`review of ${taskKey({ project, task: id })}, attempt ${attempts}`);
}

/** The verdict of the newest output that has one; null if none has. */
export function verdictIn(outputs: readonly Pick<Output, 'content'>[]): Verdict | null {
  for (const { content } of outputs.toReversed()) {
    const verdict = content === undefined ? null : printedJson(content, verdictOf);
    if (verdict) return verdict;
  }
  return null;
}

const verdictSchema = z.object({ verdict: z.enum(['approve', 'reject']), comment: z.unknown().optional() });

function verdictOf(value: unknown): Verdict | null {
  const { verdict, comment } = verdictSchema.safeParse(value).data ?? {};
  if (verdict === undefined) return null;
  const given = typeof comment === 'string' ? cutText(comment.trim(), MAX_COMMENT_LENGTH) : '';
  return { verdict, comment: given === '' ? undefined : given };
}
