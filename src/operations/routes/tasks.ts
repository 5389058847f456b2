/** Creating and reading tasks. */
import { z } from 'zod';
import type { TaskView } from '../../../projections/index.ts';
import type { AppContext } from '../../app/context.ts';
import { findTask } from '../../app/context.ts';
import type { TaskNews } from '../../app/events/task-news.ts';
import { childrenOf } from '../../app/tasks/children.ts';
import { createTask } from '../../app/tasks/create-task.ts';
import { expansionsOf, listTasks, readTask } from '../../app/tasks/read-tasks.ts';
import { readWhy } from '../../app/tasks/read-why.ts';
import { type Expansion, taskJson } from '../../app/tasks/task-json.ts';
import { taskAnswerSchema, taskPageSchema } from '../../contracts/api/answers.ts';
import { waitSchema } from '../../contracts/api/jobs.ts';
import { createTaskSchema, listTasksSchema } from '../../contracts/api/requests.ts';
import { whyAnswerSchema } from '../../contracts/api/why.ts';
import { logTag, tagged, taskTag } from '../answers/entity-tag.ts';
import { withKey } from '../answers/idempotency-key.ts';
import { awaitNews, patienceOf } from '../answers/long-poll.ts';
import { TRACE_HEADERS, traceIn } from '../answers/trace-headers.ts';
import {
  atTask,
  ETAG,
  IF_NONE_MATCH,
  inProject,
  json,
  NOT_MODIFIED,
  nothing,
  nowhere,
  type Serve,
} from '../operation.ts';
import { COMMITS } from '../refusals.ts';
import { PROJECT_TASKS, TASK, taskPath } from './paths.ts';

const readTaskSchema = z.strictObject({
  expand: z.string().optional().describe('outputs, comments, attempts, events, with commas between; or all.'),
  wait: waitSchema,
});

/** Parts that can change while the task's own sequence stays: they have no tag. */
const UNTAGGED: readonly Expansion[] = ['attempts', 'events'];

const LIST = {
  access: 'read',
  method: 'GET',
  query: listTasksSchema,
  body: nothing,
  headers: IF_NONE_MATCH,
  answers: { 200: json(taskPageSchema, 'A page of them.', ETAG), 304: NOT_MODIFIED },
} as const;

export function serveTasks(serve: Serve, app: AppContext, news: TaskNews): void {
  serve({
    name: 'createTask',
    group: 'Tasks',
    summary: 'Create a task',
    access: 'create',
    method: 'POST',
    path: PROJECT_TASKS,
    address: inProject,
    query: nothing,
    body: createTaskSchema,
    example: { title: 'Review the parser', type: 'code_review', priority: 'high', review: 'auto' },
    headers: { 'Idempotency-Key': 'The same as the field "idempotency_key".', ...TRACE_HEADERS },
    answers: {
      200: json(taskAnswerSchema, 'An earlier, equal request had created it.', {
        Location: 'Path of the task.',
      }),
      201: json(taskAnswerSchema, 'The task.', { Location: 'Path of the task.' }),
    },
    refusals: [...COMMITS, 'task_not_found', 'agent_not_found', 'task_exists', 'idempotency_conflict'],
    handle: async ({ address, body, headers, caller }) => {
      const request = withKey(body, headers);
      const { task, created } = await createTask(app, address, request, caller.actor, traceIn(headers));
      const status = created ? 201 : 200;
      return { status, headers: { location: taskPath(task) }, body: taskJson(task) };
    },
  });
  serve({
    ...LIST,
    name: 'listTasks',
    group: 'Tasks',
    summary: 'The tasks of a project, the oldest first',
    path: PROJECT_TASKS,
    address: inProject,
    handle: async ({ address, query, headers }) =>
      tagged(logTag(app), headers, () => listTasks(app, address, query)),
  });
  serve({
    ...LIST,
    name: 'listAllTasks',
    group: 'Tasks',
    summary: 'The tasks of all projects, the oldest first',
    path: '/api/tasks',
    address: nowhere,
    handle: async ({ query, headers }) => tagged(logTag(app), headers, () => listTasks(app, null, query)),
  });
  serve({
    name: 'readTask',
    group: 'Tasks',
    summary: 'One task, with what is asked for beside it',
    access: 'read',
    method: 'GET',
    path: TASK,
    address: atTask,
    query: readTaskSchema,
    body: nothing,
    headers: IF_NONE_MATCH,
    answers: { 200: json(taskAnswerSchema, 'The task.', ETAG), 304: NOT_MODIFIED },
    refusals: ['task_not_found'],
    patience: patienceOf,
    handle: async ({ address: { project, task }, query, headers, gone }) => {
      const expand = expansionsOf(query.expand);
      const tagOf = (view: TaskView) => taskTag(view, childrenOf(app, view));
      await awaitNews(news, { query, headers, gone }, await findTask(app, project, task), tagOf);
      const read = () => readTask(app, project, task, expand);
      if (UNTAGGED.some((part) => expand.has(part))) return { status: 200, body: await read() };
      return tagged(tagOf(await findTask(app, project, task)), headers, read);
    },
  });
  serve({
    name: 'explainTask',
    group: 'Tasks',
    summary: 'Why a task is not running, or not done, and what happens next',
    access: 'read',
    method: 'GET',
    path: `${TASK}/why`,
    address: atTask,
    query: nothing,
    body: nothing,
    answers: { 200: json(whyAnswerSchema, 'What it waits for.') },
    refusals: ['task_not_found'],
    handle: async ({ address: { project, task } }) => ({
      status: 200,
      body: await readWhy(app, project, task),
    }),
  });
}
