/** Background commands. Only an operator may run one: it runs as the user of Signalbox. */
import type { TaskView } from '../../../projections/index.ts';
import type { TaskNews } from '../../app/events/task-news.ts';
import {
  backgroundAnswerSchema,
  backgroundListSchema,
  drainAnswerSchema,
  drainSchema,
  listBackgroundSchema,
  runBackgroundSchema,
  startedBackgroundSchema,
} from '../../contracts/api/background.ts';
import { jobQuerySchema } from '../../contracts/api/jobs.ts';
import { BACKGROUND_PROJECT, taskId } from '../../contracts/ids.ts';
import type { Background } from '../../features/background/background.ts';
import { tagged, taskTag } from '../answers/entity-tag.ts';
import { idempotencyKeyOf } from '../answers/idempotency-key.ts';
import { awaitNews, patienceOf } from '../answers/long-poll.ts';
import { TRACE_HEADERS, traceIn } from '../answers/trace-headers.ts';
import { ETAG, IF_NONE_MATCH, json, NOT_MODIFIED, nothing, nowhere, type Serve } from '../operation.ts';
import { COMMITS } from '../refusals.ts';

const COMMANDS = '/api/background';

export function serveBackground(serve: Serve, background: Background, news: TaskNews): void {
  const common = { group: 'Background', project: BACKGROUND_PROJECT } as const;
  serve({
    ...common,
    name: 'runBackground',
    summary: 'Run a shell command in the background',
    access: 'operate',
    method: 'POST',
    path: COMMANDS,
    address: nowhere,
    query: nothing,
    body: runBackgroundSchema,
    example: { command: 'npm test', cwd: '/home/me/project', timeout_seconds: 300 },
    headers: {
      'Idempotency-Key': 'The same request with the same key again runs nothing.',
      ...TRACE_HEADERS,
    },
    answers: {
      200: json(startedBackgroundSchema, 'An earlier, equal request had started it.'),
      201: json(startedBackgroundSchema, 'It will run, or runs already.', {
        Location: 'Path of its result.',
      }),
    },
    refusals: [...COMMITS, 'background_off', 'idempotency_conflict'],
    handle: async ({ body, headers, caller }) => {
      const key = idempotencyKeyOf(headers);
      const { task, created } = await background.run(body, key, caller.actor, traceIn(headers));
      return {
        status: created ? 201 : 200,
        headers: { location: `${COMMANDS}/${task.id}` },
        body: { task_id: task.id, message: `Background task ID started: ${task.id}` },
      };
    },
  });
  serve({
    ...common,
    name: 'listBackground',
    summary: 'The newest background commands, the oldest of them first',
    access: 'read',
    method: 'GET',
    path: COMMANDS,
    address: nowhere,
    query: listBackgroundSchema,
    body: nothing,
    answers: { 200: json(backgroundListSchema, 'The commands.') },
    handle: async ({ query }) => ({ status: 200, body: { tasks: await background.list(query.limit) } }),
  });
  serve({
    ...common,
    name: 'drainNotifications',
    summary: 'What has finished since the last time: each cursor gets every result once',
    access: 'operate',
    method: 'POST',
    path: `${COMMANDS}/drain`,
    address: nowhere,
    query: nothing,
    body: drainSchema,
    example: { cursor: 'default', drain_id: 'turn-17', limit: 20 },
    answers: { 200: json(drainAnswerSchema, 'The results, and the block for a model.') },
    refusals: ['log_corrupt'],
    handle: async ({ body }) => ({ status: 200, body: await background.drain(body) }),
  });
  serve({
    ...common,
    name: 'checkBackground',
    summary: 'One background command; waits for its end where it is asked to',
    access: 'read',
    method: 'GET',
    path: `${COMMANDS}/:task`,
    address: ({ task = '' }) => taskId(task),
    query: jobQuerySchema,
    body: nothing,
    headers: IF_NONE_MATCH,
    answers: { 200: json(backgroundAnswerSchema, 'The command.', ETAG), 304: NOT_MODIFIED },
    refusals: ['task_not_found'],
    patience: patienceOf,
    handle: async ({ address, query, headers, gone }) => {
      const tagOf = (task: TaskView) => taskTag(task, []);
      await awaitNews(news, { query, headers, gone }, await background.find(address), tagOf);
      const task = await background.find(address);
      return tagged(tagOf(task), headers, () => background.answer(task));
    },
  });
}
