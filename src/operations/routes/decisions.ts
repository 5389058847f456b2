/** What an operator decides about a task. */
import type { AppContext } from '../../app/context.ts';
import {
  approveTask,
  blockTask,
  cancelTask,
  rejectTask,
  retryTask,
  unblockTask,
} from '../../app/tasks/decide-task.ts';
import { redactContent } from '../../app/tasks/redact.ts';
import { reviewAsAgent } from '../../app/tasks/review.ts';
import { taskJson } from '../../app/tasks/task-json.ts';
import { taskAnswerSchema } from '../../contracts/api/answers.ts';
import {
  type Decision,
  decisionSchema,
  redactSchema,
  rejectionSchema,
} from '../../contracts/api/requests.ts';
import { type ErrorCode, SignalboxError } from '../../contracts/errors.ts';
import { atTask, json, nothing, type Operation, type Serve, type TaskAddress } from '../operation.ts';
import { COMMITS } from '../refusals.ts';
import { TASK } from './paths.ts';

type Deciding<Request> = (
  app: AppContext,
  project: TaskAddress['project'],
  task: TaskAddress['task'],
  request: Request,
  actor: string,
) => ReturnType<typeof approveTask>;

/** What the verdict of a reviewing agent does. */
type Reviewing<Request> = (
  address: TaskAddress,
  request: Request,
  token: string,
) => ReturnType<typeof approveTask>;

interface Extras<Request> {
  readonly example?: object;
  readonly refusals?: readonly ErrorCode[];
  /** Where an agent that reviews the task may decide this too. */
  readonly review?: Reviewing<Request>;
}

export function serveDecisions(serve: Serve, app: AppContext): void {
  const byReviewer = (verdict: 'approve' | 'reject'): Extras<Decision> => ({
    refusals: ['forbidden', 'stale_attempt'],
    review: async ({ project, task }, { comment }, token) => {
      const view = await reviewAsAgent(app, project, task, { verdict, comment }, token);
      if (view) return view;
      throw new SignalboxError(
        'forbidden',
        `the token is not one of a review of task ${task}: only its reviewer and people decide about it`,
      );
    },
  });
  function serveDecision<Request>(
    name: string,
    summary: string,
    body: Operation<TaskAddress, unknown, Request>['body'],
    decide: Deciding<Request>,
    {
      example = { by: 'ann', comment: 'see the second output' },
      refusals = [],
      review,
    }: Extras<Request> = {},
  ): void {
    serve({
      name: `${name}Task`,
      group: 'Decisions',
      summary,
      access: review ? 'decide' : 'operate',
      method: 'POST',
      path: `${TASK}/${name}`,
      address: atTask,
      query: nothing,
      body,
      example,
      answers: { 200: json(taskAnswerSchema, 'The task as it is then.') },
      refusals: [...COMMITS, 'task_not_found', ...refusals],
      handle: async ({ address, body: request, caller }) => {
        const { project, task } = address;
        const view =
          review && caller.token !== null
            ? await review(address, request, caller.token)
            : await decide(app, project, task, request, caller.actor);
        return { status: 200, body: taskJson(view) };
      },
    });
  }
  serveDecision('approve', 'review → done', decisionSchema, approveTask, byReviewer('approve'));
  serveDecision(
    'reject',
    'review → pending: the comment reaches the next attempt',
    rejectionSchema,
    rejectTask,
    byReviewer('reject'),
  );
  serveDecision(
    'cancel',
    'End a task that is not finished; its attempt is stopped',
    decisionSchema,
    cancelTask,
  );
  serveDecision('block', 'Hold a task back until it is unblocked', decisionSchema, blockTask);
  serveDecision('unblock', 'blocked → pending', decisionSchema, unblockTask);
  serveDecision('redact', 'Take content that must go out of the log for good', redactSchema, redactContent, {
    example: { by: 'ann', reason: 'a password', description: true },
    refusals: ['not_found', 'nats_unavailable'],
  });
  serveDecision('retry', 'failed or expired → pending, with fresh attempts', decisionSchema, retryTask);
}
