/** What waits. */
import type { AppContext } from '../../app/context.ts';
import { listQueues } from '../../app/queues.ts';
import { queueListSchema } from '../../contracts/answers.ts';
import { logTag, tagged } from '../entity-tag.ts';
import { ETAG, IF_NONE_MATCH, json, NOT_MODIFIED, nothing, nowhere, type Serve } from '../operation.ts';

export function serveQueues(serve: Serve, app: AppContext): void {
  serve({
    name: 'listQueues',
    group: 'Queues',
    summary: 'What waits for each agent and each type of task, and since when',
    access: 'read',
    method: 'GET',
    path: '/api/queues',
    address: nowhere,
    query: nothing,
    body: nothing,
    headers: IF_NONE_MATCH,
    answers: { 200: json(queueListSchema, 'The queues.', ETAG), 304: NOT_MODIFIED },
    handle: async ({ headers }) => tagged(logTag(app), headers, () => ({ queues: listQueues(app) })),
  });
}
