/** Who asks: so that a page need not offer what would be refused. */
import { callerSchema } from '../../contracts/api/caller.ts';
import { rightsOf } from '../access/access.ts';
import { json, nothing, nowhere, type Serve } from '../operation.ts';

export function serveCaller(serve: Serve): void {
  serve({
    name: 'getCaller',
    group: 'System',
    summary: 'Who asks, and what the token allows',
    access: 'read',
    method: 'GET',
    path: '/api/caller',
    address: nowhere,
    query: nothing,
    body: nothing,
    answers: { 200: json(callerSchema, 'Whoever asks.') },
    handle: async ({ caller }) => ({ status: 200, body: { actor: caller.actor, may: rightsOf(caller) } }),
  });
}
