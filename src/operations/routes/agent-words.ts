/** What agents write back, with the token of their attempt; and what people say of a task, without one. */
import { addComment, addOutput, reportHeartbeat, reportStatus } from '../../app/agents/agent-words.ts';
import type { AppContext } from '../../app/context.ts';
import { taskJson } from '../../app/tasks/task-json.ts';
import { taskAnswerSchema } from '../../contracts/api/answers.ts';
import {
  addCommentSchema,
  addOutputSchema,
  heartbeatSchema,
  statusReportSchema,
} from '../../contracts/api/requests.ts';
import type { ErrorCode } from '../../contracts/errors.ts';
import { atTask, json, nothing, type Serve } from '../operation.ts';
import { COMMITS } from '../refusals.ts';
import { TASK } from './paths.ts';

const REFUSALS: readonly ErrorCode[] = [...COMMITS, 'task_not_found', 'stale_attempt'];

export function serveAgentWords(serve: Serve, app: AppContext): void {
  serve({
    name: 'reportStatus',
    group: 'Agents',
    summary: 'Report what an attempt is at: working, review (the result is there), failed, blocked',
    access: 'speak',
    method: 'POST',
    path: `${TASK}/status`,
    address: atTask,
    query: nothing,
    body: statusReportSchema,
    example: { status: 'working', detail: 'reading the sources' },
    answers: { 200: json(taskAnswerSchema, 'The task as it is then.') },
    refusals: [...REFUSALS, 'output_required'],
    handle: async ({ address: { project, task }, body, caller }) => ({
      status: 200,
      body: taskJson(await reportStatus(app, project, task, body, caller.token)),
    }),
  });
  serve({
    name: 'reportHeartbeat',
    group: 'Agents',
    summary: 'Say that an attempt is alive',
    access: 'speak',
    method: 'POST',
    path: `${TASK}/heartbeat`,
    address: atTask,
    query: nothing,
    body: heartbeatSchema,
    example: { detail: '3 of 7 files read' },
    answers: { 200: json(taskAnswerSchema, 'The task.') },
    refusals: REFUSALS,
    handle: async ({ address: { project, task }, body, caller }) => ({
      status: 200,
      body: taskJson(await reportHeartbeat(app, project, task, body, caller.token)),
    }),
  });
  serve({
    name: 'addOutput',
    group: 'Agents',
    summary: 'Hand in an output',
    access: 'speak',
    method: 'POST',
    path: `${TASK}/outputs`,
    address: atTask,
    query: nothing,
    body: addOutputSchema,
    example: { type: 'document', title: 'Review', content: 'All is well.', summary: 'no faults' },
    answers: { 201: json(taskAnswerSchema, 'The task, with one output more.') },
    refusals: [...REFUSALS, 'content_unreadable'],
    handle: async ({ address: { project, task }, body, caller }) => ({
      status: 201,
      body: taskJson(await addOutput(app, project, task, body, caller.token)),
    }),
  });
  serve({
    name: 'addComment',
    group: 'Tasks',
    summary: 'Comment on a task',
    access: 'comment',
    method: 'POST',
    path: `${TASK}/comments`,
    address: atTask,
    query: nothing,
    body: addCommentSchema,
    example: { author: 'ann', body: 'Please look at the tests as well.' },
    answers: { 201: json(taskAnswerSchema, 'The task, with one comment more.') },
    refusals: REFUSALS,
    handle: async ({ address: { project, task }, body, caller }) => ({
      status: 201,
      body: taskJson(await addComment(app, project, task, body, caller.token)),
    }),
  });
}
