/** Creating and reading tasks. */
import { z } from 'zod';
import { childrenOf } from '../../app/children.ts';
import type { AppContext } from '../../app/context.ts';
import { findTask } from '../../app/context.ts';
import { createTask } from '../../app/create-task.ts';
import { expansionsOf, listTasks, readTask } from '../../app/read-tasks.ts';
import { readWhy } from '../../app/read-why.ts';
import { type Expansion, taskJson } from '../../app/task-json.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { type CreateTask, createTaskSchema, listTasksSchema } from '../../contracts/requests.ts';
import { ANONYMOUS } from '../credentials.ts';
import { isCurrent, taskTag } from '../entity-tag.ts';
import { atTask, inProject, nothing, nowhere, type Serve } from '../operation.ts';
import { parse } from '../parse.ts';
import { PROJECT_TASKS, TASK, taskPath } from './paths.ts';

const expandSchema = z.strictObject({ expand: z.string().optional() });

/** Parts that can change while the task's own sequence stays: they have no tag. */
const UNTAGGED: readonly Expansion[] = ['attempts', 'events'];

export function serveTasks(serve: Serve, app: AppContext): void {
  serve({
    method: 'POST',
    path: PROJECT_TASKS,
    address: inProject,
    query: nothing,
    body: createTaskSchema,
    handle: async ({ address, body, headers }) => {
      const request = withKey(body, headers['idempotency-key']);
      const { task, created } = await createTask(app, address, request, ANONYMOUS);
      const status = created ? 201 : 200;
      return { status, headers: { location: taskPath(task) }, body: taskJson(task) };
    },
  });
  serve({
    method: 'GET',
    path: PROJECT_TASKS,
    address: inProject,
    query: listTasksSchema,
    body: nothing,
    handle: async ({ address, query }) => ({ status: 200, body: listTasks(app, address, query) }),
  });
  serve({
    method: 'GET',
    path: '/api/tasks',
    address: nowhere,
    query: listTasksSchema,
    body: nothing,
    handle: async ({ query }) => ({ status: 200, body: listTasks(app, null, query) }),
  });
  serve({
    method: 'GET',
    path: TASK,
    address: atTask,
    query: expandSchema,
    body: nothing,
    handle: async ({ address: { project, task }, query, headers }) => {
      const expand = expansionsOf(query.expand);
      const read = async () => ({ status: 200, body: await readTask(app, project, task, expand) });
      if (UNTAGGED.some((part) => expand.has(part))) return read();
      const view = await findTask(app, project, task);
      const etag = taskTag(view, childrenOf(app, view));
      const tag = { etag, 'cache-control': 'private, no-cache' };
      if (isCurrent(tag.etag, headers['if-none-match'])) return { status: 304, headers: tag };
      return { ...(await read()), headers: tag };
    },
  });
  serve({
    method: 'GET',
    path: `${TASK}/why`,
    address: atTask,
    query: nothing,
    body: nothing,
    handle: async ({ address: { project, task } }) => ({
      status: 200,
      body: await readWhy(app, project, task),
    }),
  });
}

/** The header is another way to write the field. */
function withKey(request: CreateTask, header: string | string[] | undefined): CreateTask {
  if (header === undefined || header === request.idempotency_key) return request;
  if (request.idempotency_key !== undefined) {
    throw new SignalboxError(
      'invalid_request',
      'the header Idempotency-Key and the field "idempotency_key" differ: send one of them',
    );
  }
  const key = parse(createTaskSchema.shape.idempotency_key, header, 'Idempotency-Key');
  return { ...request, idempotency_key: key };
}
