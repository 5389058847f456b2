/** The state as hashes: what a rebuild is compared with. */
import type { AppContext } from '../../app/context.ts';
import { readState } from '../../app/read-state.ts';
import { readStateSchema } from '../../contracts/requests.ts';
import { nothing, nowhere, type Serve } from '../operation.ts';

export function serveState(serve: Serve, app: AppContext): void {
  serve({
    method: 'GET',
    path: '/api/state',
    address: nowhere,
    query: readStateSchema,
    body: nothing,
    handle: async ({ query }) => ({ status: 200, body: readState(app, query) }),
  });
}
