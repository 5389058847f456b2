/** A reviewing agent's verdict on a task, given with the token of its review. */
import type { TaskView } from '../../../projections/index.ts';
import { type ProjectId, type TaskId, taskId } from '../../contracts/ids.ts';
import { type Verdict, verdictIn } from '../../engine/supervisor/reviews.ts';
import { addOutput } from '../agents/agent-messages.ts';
import { type AppContext, findTask, taskInMemory } from '../context.ts';

/** Milliseconds that the answer waits for the decision that follows from the verdict. */
const DECISION_WAIT_MS = 5_000;

/**
 * Records the verdict as an output of the review: what follows for the task follows from there, also after a crash.
 * @returns the task as it is then; null where the token is not one of a review of this task
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
  // Said twice (an answer was lost): the first word counts.
  if (!verdictIn(review.outputs)) {
    const content = JSON.stringify({ verdict, comment });
    await addOutput(app, project, taskId(review.id), { type: 'data', title: 'Verdict', content }, token);
  }
  await whenDecided(app, project, task);
  return findTask(app, project, task);
}

/** Also of an older attempt of the task: its reviewer is told that it comes too late, not that it is nobody. */
function reviewByToken(app: AppContext, task: TaskView, token: string): TaskView | undefined {
  const { children, tasks } = app.state.projections.blackboard;
  const keys = children.get(`${task.project}/${task.id}`) ?? [];
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
