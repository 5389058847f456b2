/** The plain job API: hand in a task, ask for its result. Its tasks stand on the same blackboard as all others. */
import type { TaskView } from '../../../projections/index.ts';
import type { AppContext } from '../../app/context.ts';
import type { TaskNews } from '../../app/events/task-news.ts';
import { cancelJob, createJob, findJob, jobJson } from '../../app/tasks/jobs.ts';
import { createJobSchema, JOB_PROJECT, jobAnswerSchema, jobQuerySchema } from '../../contracts/api/jobs.ts';
import { taskId } from '../../contracts/ids.ts';
import { tagged, taskTag } from '../answers/entity-tag.ts';
import { idempotencyKeyOf } from '../answers/idempotency-key.ts';
import { awaitNews, patienceOf } from '../answers/long-poll.ts';
import { TRACE_HEADERS, traceIn } from '../answers/trace-headers.ts';
import {
  type Answer,
  ETAG,
  IF_NONE_MATCH,
  json,
  NOT_MODIFIED,
  nothing,
  nowhere,
  type PathParams,
  type Serve,
} from '../operation.ts';
import { COMMITS } from '../refusals.ts';

const JOBS = '/tasks';
const JOB = `${JOBS}/:task`;
const LOCATION = { Location: 'Path of the task.' };

const atJob = (params: PathParams) => taskId(params.task ?? '');

export function serveJobs(serve: Serve, app: AppContext, news: TaskNews): void {
  const answer = async (status: number, task: TaskView): Promise<Answer> => ({
    status,
    headers: { location: `${JOBS}/${task.id}`, etag: taskTag(task, []) },
    body: await jobJson(app, task),
  });
  serve({
    name: 'createJob',
    group: 'Jobs',
    summary: `Hand in a task; it lives in the project "${JOB_PROJECT}", and nobody reviews its result`,
    access: 'create',
    project: JOB_PROJECT,
    method: 'POST',
    path: JOBS,
    address: nowhere,
    query: nothing,
    body: createJobSchema,
    invalidBody: 'invalid_task',
    example: {
      task_type: 'code_review',
      description: 'Review src/parser.ts',
      parameters: { depth: 2 },
      priority: 5,
      timeout_seconds: 300,
    },
    headers: {
      'Idempotency-Key': 'The same request with the same key again creates nothing.',
      ...TRACE_HEADERS,
    },
    answers: {
      200: json(jobAnswerSchema, 'An earlier, equal request had created it.', { ...ETAG, ...LOCATION }),
      201: json(jobAnswerSchema, 'The task.', { ...ETAG, ...LOCATION }),
    },
    refusals: [...COMMITS, 'idempotency_conflict'],
    handle: async ({ body, headers, caller }) => {
      const key = idempotencyKeyOf(headers);
      const { task, created } = await createJob(app, body, key, caller.actor, traceIn(headers));
      return answer(created ? 201 : 200, task);
    },
  });
  serve({
    name: 'readJob',
    group: 'Jobs',
    summary: 'A task with its result or error; waits for it where it is asked to',
    access: 'read',
    project: JOB_PROJECT,
    method: 'GET',
    path: JOB,
    address: atJob,
    query: jobQuerySchema,
    body: nothing,
    headers: IF_NONE_MATCH,
    answers: { 200: json(jobAnswerSchema, 'The task.', ETAG), 304: NOT_MODIFIED },
    refusals: ['task_not_found'],
    patience: patienceOf,
    handle: async ({ address, query, headers, gone }) => {
      const tagOf = (task: TaskView) => taskTag(task, []);
      await awaitNews(news, { query, headers, gone }, await findJob(app, address), tagOf);
      const task = await findJob(app, address);
      return tagged(tagOf(task), headers, () => jobJson(app, task));
    },
  });
  serve({
    name: 'cancelJob',
    group: 'Jobs',
    summary: 'Cancel a task that is not finished; its attempt is stopped',
    access: 'operate',
    project: JOB_PROJECT,
    method: 'DELETE',
    path: JOB,
    address: atJob,
    query: nothing,
    body: nothing,
    answers: { 200: json(jobAnswerSchema, 'The task, cancelled.', { ...ETAG, ...LOCATION }) },
    refusals: [...COMMITS, 'task_not_found'],
    handle: async ({ address, caller }) => answer(200, await cancelJob(app, address, caller.actor)),
  });
}
