/** What an operator decides about a task. */
import type { AppContext } from '../../app/context.ts';
import {
  approveTask,
  blockTask,
  cancelTask,
  rejectTask,
  retryTask,
  unblockTask,
} from '../../app/decide-task.ts';
import { redactContent } from '../../app/redact.ts';
import { reviewAsAgent } from '../../app/review.ts';
import { taskJson } from '../../app/task-json.ts';
import { type Decision, decisionSchema, redactSchema, rejectionSchema } from '../../contracts/requests.ts';
import { operatorOf, tokenOf } from '../credentials.ts';
import { atTask, nothing, type Operation, type Serve, type TaskAddress } from '../operation.ts';
import { TASK } from './paths.ts';

type Deciding<Request> = (
  app: AppContext,
  project: TaskAddress['project'],
  task: TaskAddress['task'],
  request: Request,
  actor: string,
) => ReturnType<typeof approveTask>;

/** null where the token is not one of a review of the task. */
type Reviewing<Request> = (
  project: TaskAddress['project'],
  task: TaskAddress['task'],
  request: Request,
  token: string | null,
) => ReturnType<typeof reviewAsAgent>;

export function serveDecisions(serve: Serve, app: AppContext): void {
  const byReviewer =
    (verdict: 'approve' | 'reject'): Reviewing<Decision> =>
    (project, task, { comment }, token) =>
      reviewAsAgent(app, project, task, { verdict, comment }, token);
  function serveDecision<Request>(
    name: string,
    body: Operation<TaskAddress, unknown, Request>['body'],
    decide: Deciding<Request>,
    review?: Reviewing<Request>,
  ): void {
    serve({
      method: 'POST',
      path: `${TASK}/${name}`,
      address: atTask,
      query: nothing,
      body,
      handle: async ({ address: { project, task }, body: request, headers }) => {
        const { authorization } = headers;
        const reviewed = await review?.(project, task, request, tokenOf(authorization));
        const view = reviewed ?? (await decide(app, project, task, request, operatorOf(authorization)));
        return { status: 200, body: taskJson(view) };
      },
    });
  }
  serveDecision('approve', decisionSchema, approveTask, byReviewer('approve'));
  serveDecision('reject', rejectionSchema, rejectTask, byReviewer('reject'));
  serveDecision('cancel', decisionSchema, cancelTask);
  serveDecision('block', decisionSchema, blockTask);
  serveDecision('unblock', decisionSchema, unblockTask);
  serveDecision('retry', decisionSchema, retryTask);
  serveDecision('redact', redactSchema, redactContent);
}
