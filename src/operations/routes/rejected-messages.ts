/** Messages of agents that were refused. */

import { rejectedListSchema } from '../../contracts/api/answers.ts';
import { listRejectedSchema } from '../../contracts/api/requests.ts';
import type { RejectionRecord } from '../../contracts/messages/agent-messages.ts';
import { json, nothing, nowhere, type Serve } from '../operation.ts';
import { REJECTED_MESSAGES } from './paths.ts';

/** @returns the newest of one agent, or of all, the newest first */
export type ListRejected = (agent: string | null, limit: number) => Promise<readonly RejectionRecord[]>;

export function serveRejectedMessages(serve: Serve, list: ListRejected): void {
  serve({
    name: 'listRejectedMessages',
    group: 'Agents',
    summary: 'Messages of agents over NATS that were refused, the newest first',
    access: 'read',
    method: 'GET',
    path: REJECTED_MESSAGES,
    address: nowhere,
    query: listRejectedSchema,
    body: nothing,
    answers: { 200: json(rejectedListSchema, 'The messages, each with the reason.') },
    handle: async ({ query }) => ({
      status: 200,
      body: { rejected_messages: await list(query.agent ?? null, query.limit) },
    }),
  });
}
