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

export function serveDecisions(serve: Serve, app: AppContext): void {
  function serveDecision<Request extends Decision>(
    name: string,
    body: Operation<TaskAddress, unknown, Request>['body'],
    decide: Deciding<Request>,
  ): void {
    serve({
      method: 'POST',
      path: `${TASK}/${name}`,
      address: atTask,
      query: nothing,
      body,
      handle: async ({ address: { project, task }, body: request, headers }) => {
        const asReviewer = isVerdict(name)
          ? await reviewAsAgent(
              app,
              project,
              task,
              { verdict: name, request },
              tokenOf(headers.authorization),
            )
          : null;
        if (asReviewer) return { status: 200, body: taskJson(asReviewer) };
        const actor = operatorOf(headers.authorization);
        return { status: 200, body: taskJson(await decide(app, project, task, request, actor)) };
      },
    });
  }
  serveDecision('approve', decisionSchema, approveTask);
  serveDecision('reject', rejectionSchema, rejectTask);
  serveDecision('cancel', decisionSchema, cancelTask);
  serveDecision('block', decisionSchema, blockTask);
  serveDecision('unblock', decisionSchema, unblockTask);
  serveDecision('retry', decisionSchema, retryTask);
  serveDecision('redact', redactSchema, redactContent);
}

/** What an agent can decide that reviews the task. */
function isVerdict(name: string): name is 'approve' | 'reject' {
  return name === 'approve' || name === 'reject';
}
