/** Attempts: what became of each, what it has printed, which processes it has, and its end. */
import { readAttemptLog } from '../../app/attempt-log.ts';
import { findAttempt, killAttempt, listProcesses } from '../../app/attempts.ts';
import type { AppContext } from '../../app/context.ts';
import { readTask } from '../../app/read-tasks.ts';
import { attemptJson } from '../../app/task-json.ts';
import { LOG_HEADERS } from '../../contracts/answers.ts';
import { killSchema, readLogSchema } from '../../contracts/requests.ts';
import { operatorOf } from '../credentials.ts';
import { atAttempt, atTask, nothing, nowhere, type Serve } from '../operation.ts';
import { ATTEMPT, TASK } from './paths.ts';

export function serveAttempts(serve: Serve, app: AppContext): void {
  serve({
    method: 'GET',
    path: `${TASK}/attempts`,
    address: atTask,
    query: nothing,
    body: nothing,
    handle: async ({ address: { project, task } }) => {
      const { attempts } = await readTask(app, project, task, new Set(['attempts']));
      return { status: 200, body: { attempts } };
    },
  });
  serve({
    method: 'GET',
    path: ATTEMPT,
    address: atAttempt,
    query: nothing,
    body: nothing,
    handle: async ({ address: { project, task, attempt } }) => ({
      status: 200,
      body: attemptJson(await findAttempt(app, project, task, attempt)),
    }),
  });
  serve({
    method: 'GET',
    path: `${ATTEMPT}/log`,
    address: atAttempt,
    query: readLogSchema,
    body: nothing,
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
    method: 'POST',
    path: `${ATTEMPT}/kill`,
    address: atAttempt,
    query: nothing,
    body: killSchema,
    handle: async ({ address: { project, task, attempt }, body, headers }) => {
      const actor = operatorOf(headers.authorization);
      // Its processes are still ending.
      return { status: 202, body: await killAttempt(app, project, task, attempt, body, actor) };
    },
  });
  serve({
    method: 'GET',
    path: '/api/processes',
    address: nowhere,
    query: nothing,
    body: nothing,
    handle: async () => ({ status: 200, body: { attempts: await listProcesses(app) } }),
  });
}
