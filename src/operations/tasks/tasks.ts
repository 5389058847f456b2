/** Creating, listing and reading tasks. */
import { taskAnswerSchema, taskPageSchema } from '../../contracts/api/answers.ts';
import { createTaskSchema, listTasksSchema, readTaskSchema } from '../../contracts/api/requests.ts';
import { whyAnswerSchema } from '../../contracts/api/why.ts';
import { COMMITS } from '../errors.ts';
import {
  ETAG,
  IF_NONE_MATCH,
  NOT_MODIFIED,
  TRACE_HEADERS,
  tagged,
  traceIn,
  updateWait,
  waitMs,
  withIdempotencyKey,
} from '../headers.ts';
import { json, NO_INPUT, operation, Reply } from '../operation.ts';
import { projectParams, TASK, TASKS, taskParams } from '../params.ts';

const LOCATION = { Location: 'Path of the task.' };

export const createTask = operation({
  name: 'createTask',
  group: 'Tasks',
  summary: 'Create a task',
  access: 'create',
  http: { method: 'POST', path: TASKS },
  input: { ...NO_INPUT, params: projectParams, body: createTaskSchema },
  example: { title: 'Review the parser', type: 'code_review', priority: 'high', review: 'auto' },
  headers: { 'Idempotency-Key': 'The same as the field "idempotency_key".', ...TRACE_HEADERS },
  answers: {
    200: json(taskAnswerSchema, 'An earlier, equal request had created it.', LOCATION),
    201: json(taskAnswerSchema, 'The task.', LOCATION),
  },
  errors: [...COMMITS, 'task_not_found', 'agent_not_found', 'task_exists', 'idempotency_conflict'],
  isIdempotent: ({ id, idempotency_key }) => id !== undefined || idempotency_key !== undefined,
  handle: async ({ tasks }, { params: { project }, body, headers, caller }) => {
    const request = withIdempotencyKey(body, headers);
    const { task, created } = await tasks.create(project, request, caller, traceIn(headers));
    const location = `/api/projects/${project}/tasks/${task.id}`;
    return new Reply(created ? 201 : 200, { headers: { location }, body: task });
  },
});

const list = {
  group: 'Tasks',
  access: 'read',
  headers: IF_NONE_MATCH,
  answers: { 200: json(taskPageSchema, 'A page of tasks.', ETAG), 304: NOT_MODIFIED },
} as const;

export const listTasks = operation({
  ...list,
  name: 'listTasks',
  summary: 'List the tasks of a project, oldest first',
  http: { method: 'GET', path: TASKS },
  input: { ...NO_INPUT, params: projectParams, query: listTasksSchema },
  handle: ({ tasks, system }, { params, query, headers }) =>
    tagged(system.etag(), headers, () => tasks.list(params.project, query)),
});

export const listAllTasks = operation({
  ...list,
  name: 'listAllTasks',
  summary: 'List the tasks of all projects, oldest first',
  http: { method: 'GET', path: '/api/tasks' },
  input: { ...NO_INPUT, query: listTasksSchema },
  handle: ({ tasks, system }, { query, headers }) =>
    tagged(system.etag(), headers, () => tasks.list(null, query)),
});

export const readTask = operation({
  name: 'readTask',
  group: 'Tasks',
  summary: 'Read a task, with the parts named in "expand"; "wait" waits for a change',
  access: 'read',
  http: { method: 'GET', path: TASK },
  input: { ...NO_INPUT, params: taskParams, query: readTaskSchema },
  headers: IF_NONE_MATCH,
  answers: { 200: json(taskAnswerSchema, 'The task.', ETAG), 304: NOT_MODIFIED },
  errors: ['task_not_found'],
  waitMs,
  handle: async ({ tasks }, { params, query, ...call }) => {
    const { expand } = query;
    const etag = await tasks.afterUpdate(params, updateWait(query, call));
    const read = () => tasks.read(params, expand);
    // These can change although the task's own sequence does not: there is no tag for them.
    return expand.has('attempts') || expand.has('events') ? read() : tagged(etag, call.headers, read);
  },
});

export const explainTask = operation({
  name: 'explainTask',
  group: 'Tasks',
  summary: 'Explain why a task is not running, or not done, and what happens next',
  access: 'read',
  http: { method: 'GET', path: `${TASK}/why` },
  input: { ...NO_INPUT, params: taskParams },
  answers: { 200: json(whyAnswerSchema, 'What the task waits for.') },
  errors: ['task_not_found'],
  handle: ({ tasks }, { params }) => tasks.explain(params),
});
