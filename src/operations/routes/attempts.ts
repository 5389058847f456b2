/** Attempts: what became of each, what it has printed, which processes it has, and its end. */
import { readAttemptLog } from '../../app/attempts/attempt-log.ts';
import { readAttempt, readProcessTree } from '../../app/attempts/attempt-processes.ts';
import { killAttempt, listProcesses } from '../../app/attempts/attempts.ts';
import type { AppContext } from '../../app/context.ts';
import { readTask } from '../../app/tasks/read-tasks.ts';
import {
  attemptAnswerSchema,
  attemptListSchema,
  LOG_HEADERS,
  processListSchema,
} from '../../contracts/api/answers.ts';
import { processTreeSchema } from '../../contracts/api/processes.ts';
import { killSchema, readLogSchema } from '../../contracts/api/requests.ts';
import { atAttempt, atTask, type Content, json, nothing, nowhere, type Serve } from '../operation.ts';
import { COMMITS } from '../refusals.ts';
import { ATTEMPT, TASK } from './paths.ts';

const LOG_PART: Content = {
  description: 'A part of the log. Ask for the next one with its next offset, until it is complete.',
  mediaType: 'text/plain; charset=utf-8',
  headers: {
    [LOG_HEADERS.offset]: 'Where the part begins, in bytes.',
    [LOG_HEADERS.nextOffset]: 'Where the next part begins.',
    [LOG_HEADERS.complete]: '"true" where nothing follows any more.',
  },
};

export function serveAttempts(serve: Serve, app: AppContext): void {
  serve({
    name: 'listAttempts',
    group: 'Attempts',
    summary: 'The attempts of a task, the first one first',
    access: 'read',
    method: 'GET',
    path: `${TASK}/attempts`,
    address: atTask,
    query: nothing,
    body: nothing,
    answers: { 200: json(attemptListSchema, 'The attempts.') },
    refusals: ['task_not_found'],
    handle: async ({ address: { project, task } }) => {
      const { attempts } = await readTask(app, project, task, new Set(['attempts']));
      return { status: 200, body: { attempts } };
    },
  });
  serve({
    name: 'readAttempt',
    group: 'Attempts',
    summary: 'One attempt, with its evidence and the command that was started',
    access: 'read',
    method: 'GET',
    path: ATTEMPT,
    address: atAttempt,
    query: nothing,
    body: nothing,
    answers: { 200: json(attemptAnswerSchema, 'The attempt.') },
    refusals: ['task_not_found', 'not_found'],
    handle: async ({ address: { project, task, attempt } }) => ({
      status: 200,
      body: await readAttempt(app, project, task, attempt),
    }),
  });
  serve({
    name: 'readAttemptLog',
    group: 'Attempts',
    summary: 'What the process of an attempt has printed, part by part; also while it runs',
    access: 'read',
    method: 'GET',
    path: `${ATTEMPT}/log`,
    address: atAttempt,
    query: readLogSchema,
    body: nothing,
    answers: { 200: LOG_PART },
    refusals: ['task_not_found', 'not_found'],
    handle: async ({ address: { project, task, attempt }, query }) => {
      const part = await readAttemptLog(app, project, task, attempt, query);
      const headers = {
        'content-type': 'text/plain; charset=utf-8',
        'cache-control': 'no-store',
        [LOG_HEADERS.offset]: String(part.offset),
        [LOG_HEADERS.nextOffset]: String(part.nextOffset),
        [LOG_HEADERS.complete]: String(part.isComplete),
      };
      return { status: 200, headers, body: part.bytes };
    },
  });
  serve({
    name: 'readProcessTree',
    group: 'Attempts',
    summary: 'The living processes of one attempt, with what each uses',
    access: 'read',
    method: 'GET',
    path: `${ATTEMPT}/processes`,
    address: atAttempt,
    query: nothing,
    body: nothing,
    answers: { 200: json(processTreeSchema, 'The processes; none where it is over.') },
    refusals: ['task_not_found', 'not_found'],
    handle: async ({ address: { project, task, attempt } }) => ({
      status: 200,
      body: await readProcessTree(app, project, task, attempt),
    }),
  });
  serve({
    name: 'killAttempt',
    group: 'Attempts',
    summary: 'Stop an open attempt; the task is tried again while attempts are left',
    access: 'operate',
    method: 'POST',
    path: `${ATTEMPT}/kill`,
    address: atAttempt,
    query: nothing,
    body: killSchema,
    example: { by: 'ann' },
    answers: { 202: json(attemptAnswerSchema, 'The attempt; its processes are still ending.') },
    refusals: [...COMMITS, 'task_not_found', 'not_found'],
    handle: async ({ address: { project, task, attempt }, body, caller }) => ({
      status: 202,
      body: await killAttempt(app, project, task, attempt, body, caller.actor),
    }),
  });
  serve({
    name: 'listProcesses',
    group: 'Attempts',
    summary: 'Every open attempt with its living processes',
    access: 'read',
    method: 'GET',
    path: '/api/processes',
    address: nowhere,
    query: nothing,
    body: nothing,
    answers: { 200: json(processListSchema, 'The open attempts.') },
    handle: async () => ({ status: 200, body: { attempts: await listProcesses(app) } }),
  });
}
