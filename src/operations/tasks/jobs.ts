/** The plain job API: create a task, read its result. Its tasks are on the same blackboard as all others. */
import { createJobSchema, JOB_PROJECT, jobAnswerSchema, jobQuerySchema } from '../../contracts/api/jobs.ts';
import { COMMITS } from '../errors.ts';
import {
  ETAG,
  IF_NONE_MATCH,
  idempotencyKeyOf,
  NOT_MODIFIED,
  TRACE_HEADERS,
  tagged,
  traceIn,
  updateWait,
  waitMs,
} from '../headers.ts';
import { json, NO_INPUT, operation, Reply } from '../operation.ts';
import { namedTaskParams } from '../params.ts';
import type { TaggedJob } from '../services.ts';

const LOCATION = { Location: 'Path of the task.' };
const job = { group: 'Jobs', project: JOB_PROJECT } as const;

const reply = (status: number, { job, etag }: TaggedJob) =>
  new Reply(status, { headers: { location: `/tasks/${job.task_id}`, etag }, body: job });

export const createJob = operation({
  ...job,
  name: 'createJob',
  summary: `Hand in a task to the project "${JOB_PROJECT}"; its result needs no review`,
  access: 'create',
  http: { method: 'POST', path: '/tasks' },
  input: { ...NO_INPUT, body: createJobSchema },
  invalidBody: 'invalid_task',
  example: {
    task_type: 'code_review',
    description: 'Review src/parser.ts',
    parameters: { depth: 2 },
    priority: 5,
    timeout_seconds: 300,
  },
  headers: {
    'Idempotency-Key': 'Repeating the request with the same key creates no second task.',
    ...TRACE_HEADERS,
  },
  answers: {
    200: json(jobAnswerSchema, 'An earlier, equal request had created it.', { ...ETAG, ...LOCATION }),
    201: json(jobAnswerSchema, 'The task.', { ...ETAG, ...LOCATION }),
  },
  errors: [...COMMITS, 'idempotency_conflict'],
  handle: async ({ jobs }, { body, headers, caller }) => {
    const created = await jobs.create(body, idempotencyKeyOf(headers), caller, traceIn(headers));
    return reply(created.created ? 201 : 200, created);
  },
});

export const readJob = operation({
  ...job,
  name: 'readJob',
  summary: 'Read a task with its result or error; "wait" waits for it',
  access: 'read',
  http: { method: 'GET', path: '/tasks/{task}' },
  input: { ...NO_INPUT, params: namedTaskParams, query: jobQuerySchema },
  headers: IF_NONE_MATCH,
  answers: { 200: json(jobAnswerSchema, 'The task.', ETAG), 304: NOT_MODIFIED },
  errors: ['task_not_found'],
  waitMs,
  handle: async ({ jobs, tasks }, { params: { task }, query, ...call }) => {
    const etag = await tasks.afterUpdate({ project: JOB_PROJECT, task }, updateWait(query, call));
    return tagged(etag, call.headers, () => jobs.read(task));
  },
});

export const cancelJob = operation({
  ...job,
  name: 'cancelJob',
  summary: 'Cancel a task that is not finished; its attempt is stopped',
  access: 'operate',
  http: { method: 'DELETE', path: '/tasks/{task}' },
  input: { ...NO_INPUT, params: namedTaskParams },
  answers: { 200: json(jobAnswerSchema, 'The cancelled task.', { ...ETAG, ...LOCATION }) },
  errors: [...COMMITS, 'task_not_found'],
  handle: async ({ jobs }, { params, caller }) => reply(200, await jobs.cancel(params.task, caller.actor)),
});
