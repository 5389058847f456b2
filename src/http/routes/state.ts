/** The state as hashes: what a rebuild is compared with. */
import type { AppContext } from '../../app/context.ts';
import { readState } from '../../app/read-state.ts';
import { stateAnswerSchema } from '../../contracts/answers.ts';
import { readStateSchema } from '../../contracts/requests.ts';
import { json, nothing, nowhere, type Serve } from '../operation.ts';

export function serveState(serve: Serve, app: AppContext): void {
  serve({
    name: 'readState',
    group: 'System',
    summary: 'The whole state as hashes of its entries, to be compared with what the log gives',
    access: 'read',
    method: 'GET',
    path: '/api/state',
    address: nowhere,
    query: readStateSchema,
    body: nothing,
    answers: { 200: json(stateAnswerSchema, 'A page of the entries.') },
    handle: async ({ query }) => ({ status: 200, body: readState(app, query) }),
  });
}
