/** Attempts: reading them, their logs and processes, and killing one. */
import { attemptAnswerSchema, attemptListSchema, processListSchema } from '../../contracts/api/answers.ts';
import { processTreeSchema } from '../../contracts/api/processes.ts';
import { attributionSchema, extensionSchema, readLogSchema } from '../../contracts/api/requests.ts';
import { LOG_HEADERS } from '../../contracts/api/system-answers.ts';
import {
  followTranscriptSchema,
  readTranscriptSchema,
  transcriptPageSchema,
} from '../../contracts/transcript/schemas.ts';
import { COMMITS } from '../errors.ts';
import { json, NO_INPUT, operation, Reply } from '../operation.ts';
import { ATTEMPT, attemptParams, TASK, taskParams } from '../params.ts';

const MEDIA_TYPE = 'text/plain; charset=utf-8';

export const listAttempts = operation({
  name: 'listAttempts',
  group: 'Attempts',
  summary: 'List the attempts of a task, oldest first',
  access: 'read',
  http: { method: 'GET', path: `${TASK}/attempts` },
  input: { ...NO_INPUT, params: taskParams },
  answers: { 200: json(attemptListSchema, 'The attempts.') },
  errors: ['task_not_found'],
  handle: async ({ attempts }, { params }) => ({ attempts: await attempts.list(params) }),
});

export const readAttempt = operation({
  name: 'readAttempt',
  group: 'Attempts',
  summary: 'Read an attempt, with its evidence and the command that was started',
  access: 'read',
  http: { method: 'GET', path: ATTEMPT },
  input: { ...NO_INPUT, params: attemptParams },
  answers: { 200: json(attemptAnswerSchema, 'The attempt.') },
  errors: ['task_not_found', 'not_found'],
  handle: ({ attempts }, { params }) => attempts.read(params),
});

export const readAttemptLog = operation({
  name: 'readAttemptLog',
  group: 'Attempts',
  summary: 'Read the output of the process of an attempt in parts, also while it runs',
  access: 'read',
  http: { method: 'GET', path: `${ATTEMPT}/log` },
  input: { ...NO_INPUT, params: attemptParams, query: readLogSchema },
  answers: {
    200: {
      description: 'A part of the log. Ask for the next one with its next offset, until it is complete.',
      mediaType: MEDIA_TYPE,
      headers: {
        [LOG_HEADERS.offset]: 'Where the part begins, in bytes.',
        [LOG_HEADERS.nextOffset]: 'Where the next part begins.',
        [LOG_HEADERS.complete]: '"true" if this is the last part.',
      },
    },
  },
  errors: ['task_not_found', 'not_found'],
  handle: async ({ attempts }, { params, query }) => {
    const part = await attempts.readLog(params, query);
    const headers = {
      'content-type': MEDIA_TYPE,
      'cache-control': 'no-store',
      [LOG_HEADERS.offset]: String(part.offset),
      [LOG_HEADERS.nextOffset]: String(part.nextOffset),
      [LOG_HEADERS.complete]: String(part.isComplete),
    };
    return new Reply(200, { headers, body: part.bytes });
  },
});

export const readTranscript = operation({
  name: 'readTranscript',
  group: 'Attempts',
  summary: 'Read what the agent said and did in an attempt, in parts, also while it runs',
  access: 'read',
  http: { method: 'GET', path: `${ATTEMPT}/transcript` },
  input: { ...NO_INPUT, params: attemptParams, query: readTranscriptSchema },
  answers: {
    200: json(
      transcriptPageSchema,
      'A part of the transcript. Ask with its "next" as "after" for what follows, until it is complete.',
    ),
  },
  errors: ['task_not_found', 'not_found'],
  handle: async ({ attempts }, { params, query }) =>
    new Reply(200, {
      headers: { 'cache-control': 'no-store' },
      body: await attempts.readTranscript(params, query),
    }),
});

export const followTranscript = operation({
  name: 'followTranscript',
  group: 'Attempts',
  summary: 'Follow what the agent says and does in an attempt, until it ends',
  access: 'read',
  http: { method: 'GET', path: `${ATTEMPT}/transcript/live` },
  input: { ...NO_INPUT, params: attemptParams, query: followTranscriptSchema },
  headers: { 'Last-Event-ID': 'Continue at this place; the same as "after".' },
  answers: {
    200: {
      description:
        'A stream of server-sent events "part": "data" is a part of the transcript as JSON, "id" its "next". It ends with the part that is complete.',
      mediaType: 'text/event-stream',
    },
  },
  errors: ['overloaded', 'task_not_found', 'not_found'],
  needs: 'streams',
  handle: ({ streams }, { params, query, ...call }) => streams.followTranscript(params, query, call),
});

export const readProcessTree = operation({
  name: 'readProcessTree',
  group: 'Attempts',
  summary: 'Read the living processes of an attempt, and what each uses',
  access: 'read',
  http: { method: 'GET', path: `${ATTEMPT}/processes` },
  input: { ...NO_INPUT, params: attemptParams },
  answers: { 200: json(processTreeSchema, 'The processes; none if the attempt is over.') },
  errors: ['task_not_found', 'not_found'],
  handle: ({ attempts }, { params }) => attempts.readProcesses(params),
});

export const killAttempt = operation({
  name: 'killAttempt',
  group: 'Attempts',
  summary: 'Kill an open attempt; the task is retried while it has attempts left',
  access: 'operate',
  http: { method: 'POST', path: `${ATTEMPT}/kill` },
  input: { ...NO_INPUT, params: attemptParams, body: attributionSchema },
  example: { by: 'ann' },
  answers: { 202: json(attemptAnswerSchema, 'The attempt; its processes are still ending.') },
  errors: [...COMMITS, 'task_not_found', 'not_found'],
  handle: ({ attempts }, { params, body, caller }) => attempts.kill(params, body, caller.actor),
});

export const extendAttempt = operation({
  name: 'extendAttempt',
  group: 'Attempts',
  summary:
    'Give a running attempt more time: its deadline is later, and until then its silence does not count',
  access: 'operate',
  http: { method: 'POST', path: `${ATTEMPT}/extend` },
  input: { ...NO_INPUT, params: attemptParams, body: extensionSchema },
  example: { by: 'ann', seconds: 600 },
  answers: { 200: json(attemptAnswerSchema, 'The attempt with its new deadline.') },
  errors: [...COMMITS, 'task_not_found', 'not_found'],
  handle: ({ attempts }, { params, body, caller }) => attempts.extend(params, body, caller.actor),
});

export const listProcesses = operation({
  name: 'listProcesses',
  group: 'Attempts',
  summary: 'List every open attempt with its living processes',
  access: 'read',
  http: { method: 'GET', path: '/api/processes' },
  input: NO_INPUT,
  answers: { 200: json(processListSchema, 'The open attempts.') },
  handle: async ({ attempts }) => ({ attempts: await attempts.listOpen() }),
});
