/** Messages of agents about their attempt, with its token; and comments, which people write too. */
import { taskAnswerSchema } from '../../contracts/api/answers.ts';
import {
  addCommentSchema,
  addOutputSchema,
  heartbeatSchema,
  statusReportSchema,
} from '../../contracts/api/requests.ts';
import { COMMITS } from '../errors.ts';
import { json, NO_INPUT, operation } from '../operation.ts';
import { TASK, taskParams } from '../params.ts';

const message = {
  group: 'Agents',
  access: 'speak',
  errors: [...COMMITS, 'task_not_found', 'stale_attempt'],
} as const;

export const reportStatus = operation({
  ...message,
  name: 'reportStatus',
  isReport: true,
  summary: 'Report the status of an attempt: working, review (finished), failed or blocked',
  http: { method: 'POST', path: `${TASK}/status` },
  input: { ...NO_INPUT, params: taskParams, body: statusReportSchema },
  example: { status: 'working', detail: 'reading the sources' },
  answers: { 200: json(taskAnswerSchema, 'The task after the report.') },
  errors: [...message.errors, 'output_required'],
  handle: ({ messages }, { params, body, caller }) => messages.reportStatus(params, body, caller.token),
});

export const reportHeartbeat = operation({
  ...message,
  name: 'reportHeartbeat',
  summary: 'Report that an attempt is alive',
  http: { method: 'POST', path: `${TASK}/heartbeat` },
  input: { ...NO_INPUT, params: taskParams, body: heartbeatSchema },
  example: { detail: '3 of 7 files read' },
  answers: { 200: json(taskAnswerSchema, 'The task.') },
  // With a detail it is recorded as progress.
  isIdempotent: ({ detail }) => detail === undefined,
  handle: ({ messages }, { params, body, caller }) => messages.reportHeartbeat(params, body, caller.token),
});

export const addOutput = operation({
  ...message,
  name: 'addOutput',
  isReport: true,
  summary: 'Add an output to a task',
  http: { method: 'POST', path: `${TASK}/outputs` },
  input: { ...NO_INPUT, params: taskParams, body: addOutputSchema },
  example: { type: 'document', title: 'Review', content: 'All is well.', summary: 'no faults' },
  answers: { 201: json(taskAnswerSchema, 'The task with the new output.') },
  errors: [...message.errors, 'content_unreadable'],
  handle: ({ messages }, { params, body, caller }) => messages.addOutput(params, body, caller.token),
});

export const addComment = operation({
  ...message,
  group: 'Tasks',
  access: 'comment',
  name: 'addComment',
  summary: 'Comment on a task',
  http: { method: 'POST', path: `${TASK}/comments` },
  input: { ...NO_INPUT, params: taskParams, body: addCommentSchema },
  example: { author: 'ann', body: 'Please look at the tests as well.' },
  answers: { 201: json(taskAnswerSchema, 'The task with the new comment.') },
  handle: ({ messages }, { params, body, caller }) => messages.addComment(params, body, caller),
});
