/** Background commands. Only an operator may run one: it runs as the user of Signalbox. */
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
import { BACKGROUND_PROJECT } from '../../contracts/ids.ts';
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

const COMMANDS = '/api/background';
const command = { group: 'Background', project: BACKGROUND_PROJECT, needs: 'background' } as const;

export const runBackground = operation({
  ...command,
  name: 'runBackground',
  summary: 'Run a shell command in the background',
  access: 'operate',
  http: { method: 'POST', path: COMMANDS },
  input: { ...NO_INPUT, body: runBackgroundSchema },
  example: { command: 'npm test', cwd: '/home/me/project', timeout_seconds: 300 },
  headers: {
    'Idempotency-Key': 'Repeating the request with the same key starts no second command.',
    ...TRACE_HEADERS,
  },
  answers: {
    200: json(startedBackgroundSchema, 'An earlier, equal request had started it.'),
    201: json(startedBackgroundSchema, 'The command is queued or running.', {
      Location: 'Path of its result.',
    }),
  },
  errors: [...COMMITS, 'background_off', 'idempotency_conflict'],
  handle: async ({ background }, { body, headers, caller }) => {
    const key = idempotencyKeyOf(headers);
    const { task, created } = await background.run(body, key, caller.actor, traceIn(headers));
    return new Reply(created ? 201 : 200, {
      headers: { location: `${COMMANDS}/${task.id}` },
      body: { task_id: task.id, message: `Background task ID started: ${task.id}` },
    });
  },
});

export const listBackground = operation({
  ...command,
  name: 'listBackground',
  summary: 'List the newest background commands, oldest first',
  access: 'read',
  http: { method: 'GET', path: COMMANDS },
  input: { ...NO_INPUT, query: listBackgroundSchema },
  answers: { 200: json(backgroundListSchema, 'The commands.') },
  handle: async ({ background }, { query }) => ({ tasks: await background.list(query.limit) }),
});

export const drainNotifications = operation({
  ...command,
  name: 'drainNotifications',
  summary: 'Fetch new results: each result is delivered once per cursor',
  access: 'operate',
  http: { method: 'POST', path: `${COMMANDS}/drain` },
  input: { ...NO_INPUT, body: drainSchema },
  example: { cursor: 'default', drain_id: 'turn-17', limit: 20 },
  answers: { 200: json(drainAnswerSchema, 'The results, and the block for a model.') },
  errors: ['log_corrupt'],
  isIdempotent: ({ drain_id }) => drain_id !== undefined,
  handle: ({ background }, { body }) => background.drain(body),
});

export const checkBackground = operation({
  ...command,
  name: 'checkBackground',
  summary: 'Read a background command; "wait" waits for its end',
  access: 'read',
  http: { method: 'GET', path: `${COMMANDS}/{task}` },
  input: { ...NO_INPUT, params: namedTaskParams, query: jobQuerySchema },
  headers: IF_NONE_MATCH,
  answers: { 200: json(backgroundAnswerSchema, 'The command.', ETAG), 304: NOT_MODIFIED },
  errors: ['task_not_found'],
  waitMs,
  handle: async ({ background, tasks }, { params: { task }, query, ...call }) => {
    const etag = await tasks.afterUpdate({ project: BACKGROUND_PROJECT, task }, updateWait(query, call));
    return tagged(etag, call.headers, () => background.read(task));
  },
});
