/** The verdict of a reviewing agent on a task, with the token of its review. */
import type { TaskView } from '../../../projections/index.ts';
import { type ProjectId, type TaskId, taskId, taskKey } from '../../contracts/ids.ts';
import { type Verdict, verdictIn } from '../../engine/supervisor/reviews.ts';
import { addOutput } from '../agents/agent-messages.ts';
import { type AppContext, findTask, taskInMemory } from '../context.ts';

/** How long the answer waits for the decision that follows from the verdict. */
const DECISION_WAIT_MS = 5_000;

/**
 * Records the verdict as an output of the review. The decision follows from that output, also after a crash.
 * @returns the task after it; null if the token does not belong to a review of this task
 * @throws SignalboxError `task_not_found`, `stale_attempt`
 */
export async function reviewAsAgent(
  app: AppContext,
  project: ProjectId,
  task: TaskId,
  { verdict, comment }: Verdict,
  token: string | null,
): Promise<TaskView | null> {
  if (token === null) return null;
  const review = reviewByToken(app, await findTask(app, project, task), token);
  if (!review) return null;
  // If an answer was lost the verdict comes twice: the first one counts.
  if (!verdictIn(review.outputs)) {
    const content = JSON.stringify({ verdict, comment });
    await addOutput(app, project, taskId(review.id), { type: 'data', title: 'Verdict', content }, token);
  }
  await whenDecided(app, project, task);
  return findTask(app, project, task);
}

/** Finds reviews of older attempts, too: their reviewer gets `stale_attempt`, not `unauthorized`. */
function reviewByToken(app: AppContext, task: TaskView, token: string): TaskView | undefined {
  const { children, tasks } = app.state.projections.blackboard;
  const keys = children.get(taskKey({ project: task.project, task: task.id })) ?? [];
  return keys
    .flatMap((key) => tasks.get(key) ?? [])
    .find(
      ({ id, spec, attempts }) =>
        spec.reviews?.task === task.id &&
        app.supervision.tokens.attemptOf(token, { project: task.project, task: id }, attempts) !== null,
    );
}

function whenDecided(app: AppContext, project: ProjectId, task: TaskId): Promise<void> {
  const isDecided = (): boolean => taskInMemory(app, project, task)?.state !== 'review';
  if (isDecided()) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      stop();
      cancel();
      resolve();
    };
    const stop = app.log.onRecord(() => {
      if (isDecided()) done();
    });
    const cancel = app.environment.clock.schedule(DECISION_WAIT_MS, done);
  });
}
