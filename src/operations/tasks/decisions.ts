/** An operator's decisions about a task; approvals and rejections also come from the agent that reviews it. */
import { taskAnswerSchema } from '../../contracts/api/answers.ts';
import {
  cancellationSchema,
  decisionSchema,
  editTaskSchema,
  redactSchema,
  rejectionSchema,
} from '../../contracts/api/requests.ts';
import { COMMITS } from '../errors.ts';
import { json, NO_INPUT, operation } from '../operation.ts';
import { TASK, taskParams } from '../params.ts';

const post = (name: string) => ({ method: 'POST', path: `${TASK}/${name}` }) as const;
const decision = {
  group: 'Decisions',
  access: 'operate',
  input: { ...NO_INPUT, params: taskParams, body: decisionSchema },
  example: { by: 'ann', comment: 'see the second output' },
  answers: { 200: json(taskAnswerSchema, 'The task after the decision.') },
  errors: [...COMMITS, 'task_not_found'],
} as const;
const review = {
  ...decision,
  access: 'decide',
  errors: [...decision.errors, 'forbidden', 'stale_attempt'],
} as const;

export const approveTask = operation({
  ...review,
  name: 'approveTask',
  summary: 'Approve the result of a task: review → done',
  http: post('approve'),
  handle: ({ decisions }, { params, body, caller }) =>
    decisions.review({ type: 'task.approved', ...params, comment: body.comment }, body, caller),
});

export const rejectTask = operation({
  ...review,
  name: 'rejectTask',
  summary: 'Reject the result of a task: review → pending; the next attempt gets the comment',
  http: post('reject'),
  input: { ...review.input, body: rejectionSchema },
  handle: ({ decisions }, { params, body, caller }) =>
    decisions.review({ type: 'task.rejected', ...params, comment: body.comment }, body, caller),
});

export const cancelTask = operation({
  ...decision,
  name: 'cancelTask',
  summary:
    'Cancel a task that is not finished, with "children" also all tasks below it; attempts are stopped',
  http: post('cancel'),
  input: { ...decision.input, body: cancellationSchema },
  example: { by: 'ann', comment: 'not needed any more', children: true },
  handle: ({ decisions }, { params, body, caller }) => decisions.cancel(params, body, caller.actor),
});

export const blockTask = operation({
  ...decision,
  name: 'blockTask',
  summary: 'Block a task: it is not assigned until it is unblocked',
  http: post('block'),
  handle: ({ decisions }, { params, body, caller }) =>
    decisions.decide(
      { type: 'task.blocked', ...params, attempt: null, reason: body.comment ?? 'blocked by an operator' },
      body,
      caller.actor,
    ),
});

export const unblockTask = operation({
  ...decision,
  name: 'unblockTask',
  summary: 'Unblock a task: blocked → pending',
  http: post('unblock'),
  handle: ({ decisions }, { params, body, caller }) =>
    decisions.decide({ type: 'task.unblocked', ...params, comment: body.comment }, body, caller.actor),
});

export const redactTask = operation({
  ...decision,
  name: 'redactTask',
  summary: 'Erase content of a task from the log permanently',
  http: post('redact'),
  input: { ...decision.input, body: redactSchema },
  example: { by: 'ann', reason: 'a password', description: true },
  errors: [...decision.errors, 'not_found', 'nats_unavailable'],
  handle: ({ decisions }, { params, body, caller }) => decisions.redact(params, body, caller.actor),
});

export const retryTask = operation({
  ...decision,
  name: 'retryTask',
  summary: 'Retry a failed or expired task with new attempts',
  http: post('retry'),
  handle: ({ decisions }, { params, body, caller }) =>
    decisions.decide({ type: 'task.redriven', ...params, comment: body.comment }, body, caller.actor),
});

export const editTask = operation({
  ...decision,
  name: 'editTask',
  summary: 'Edit a task while it waits; its priority until it is finished',
  http: { method: 'PATCH', path: TASK },
  input: { ...decision.input, body: editTaskSchema },
  example: {
    by: 'ann',
    title: 'Review the parser and its tests',
    agent: 'reviewer',
    labels: { team: 'core' },
  },
  errors: [...decision.errors, 'not_editable', 'agent_not_found', 'forbidden'],
  isIdempotent: () => true,
  handle: ({ decisions }, { params, body, caller }) => decisions.edit(params, body, caller.actor),
});
