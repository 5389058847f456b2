/** The state as hashes: what a rebuild is compared with. And the snapshots of it, which can go at any time. */
import type { AppContext } from '../../app/context.ts';
import { readState } from '../../app/overview/read-state.ts';
import { stateAnswerSchema } from '../../contracts/api/answers.ts';
import { readStateSchema } from '../../contracts/api/requests.ts';
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
  serve({
    name: 'dropSnapshots',
    group: 'System',
    summary: 'Delete the snapshots of the state: the next start reads the whole log',
    access: 'operate',
    method: 'POST',
    path: '/api/state/drop-snapshots',
    address: nowhere,
    query: nothing,
    body: nothing,
    example: {},
    answers: { 200: json(nothing, 'They are deleted.') },
    handle: async () => {
      await app.log.dropSnapshots();
      return { status: 200, body: {} };
    },
  });
}
