/** The verdict of a reviewing agent on a task, with the token of its review. */
import type { TaskView } from '../../../projections/index.ts';
import type { TaskRef } from '../../contracts/ids.ts';
import { childrenOf, refOf } from '../../engine/runtime/views.ts';
import { type Verdict, verdictIn } from '../../engine/supervisor/reviews.ts';
import { addOutput } from '../agents/agent-messages.ts';
import { type AppContext, findTask, taskInMemory } from '../context.ts';
import { whenRecorded } from '../events/follow.ts';

/** How long the answer waits for the decision that follows from the verdict. */
const DECISION_WAIT_MS = 5_000;

/**
 * Records the verdict as an output of the review. The decision follows from that output, also after a crash.
 * @returns the task after it; null if the token does not belong to a review of this task
 * @throws SignalboxError `task_not_found`, `stale_attempt`
 */
export async function reviewAsAgent(
  app: AppContext,
  ref: TaskRef,
  { verdict, comment }: Verdict,
  token: string | null,
): Promise<TaskView | null> {
  if (token === null) return null;
  const review = reviewByToken(app, await findTask(app, ref), token);
  if (!review) return null;
  // If an answer was lost the verdict comes twice: the first one counts.
  if (!verdictIn(review.outputs)) {
    const content = JSON.stringify({ verdict, comment });
    await addOutput(app, refOf(review), { type: 'data', title: 'Verdict', content }, token);
  }
  const isDecided = (): boolean => taskInMemory(app, ref)?.state !== 'review';
  await whenRecorded(app, isDecided, DECISION_WAIT_MS);
  return findTask(app, ref);
}

/** Finds reviews of older attempts, too: their reviewer gets `stale_attempt`, not `unauthorized`. */
function reviewByToken(app: AppContext, task: TaskView, token: string): TaskView | undefined {
  return childrenOf(app.state.projections, refOf(task)).find(
    (child) =>
      child.spec.reviews?.task === task.id &&
      app.supervision.tokens.attemptOf(token, refOf(child), child.attempts) !== null,
  );
}
