/** What agents write back, with the token of their attempt; and what people say of a task, without one. */
import { addComment, addOutput, reportHeartbeat, reportStatus } from '../../app/agent-words.ts';
import type { AppContext } from '../../app/context.ts';
import { taskJson } from '../../app/task-json.ts';
import {
  addCommentSchema,
  addOutputSchema,
  heartbeatSchema,
  statusReportSchema,
} from '../../contracts/requests.ts';
import { tokenOf } from '../credentials.ts';
import { atTask, nothing, type Serve } from '../operation.ts';
import { TASK } from './paths.ts';

export function serveAgentWords(serve: Serve, app: AppContext): void {
  serve({
    method: 'POST',
    path: `${TASK}/status`,
    address: atTask,
    query: nothing,
    body: statusReportSchema,
    handle: async ({ address: { project, task }, body, headers }) => {
      const view = await reportStatus(app, project, task, body, tokenOf(headers.authorization));
      return { status: 200, body: taskJson(view) };
    },
  });
  serve({
    method: 'POST',
    path: `${TASK}/heartbeat`,
    address: atTask,
    query: nothing,
    body: heartbeatSchema,
    handle: async ({ address: { project, task }, body, headers }) => {
      const view = await reportHeartbeat(app, project, task, body, tokenOf(headers.authorization));
      return { status: 200, body: taskJson(view) };
    },
  });
  serve({
    method: 'POST',
    path: `${TASK}/outputs`,
    address: atTask,
    query: nothing,
    body: addOutputSchema,
    handle: async ({ address: { project, task }, body, headers }) => {
      const view = await addOutput(app, project, task, body, tokenOf(headers.authorization));
      return { status: 201, body: taskJson(view) };
    },
  });
  serve({
    method: 'POST',
    path: `${TASK}/comments`,
    address: atTask,
    query: nothing,
    body: addCommentSchema,
    handle: async ({ address: { project, task }, body, headers }) => {
      const view = await addComment(app, project, task, body, tokenOf(headers.authorization));
      return { status: 201, body: taskJson(view) };
    },
  });
}
