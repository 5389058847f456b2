/** How much is done, and how long it takes. */
import type { AppContext } from '../../app/context.ts';
import { readThroughput } from '../../app/overview/throughput.ts';
import { readThroughputSchema, throughputSchema } from '../../contracts/api/throughput.ts';
import { json, nothing, nowhere, type Serve } from '../operation.ts';

export function serveThroughput(serve: Serve, app: AppContext): void {
  serve({
    name: 'readThroughput',
    group: 'Queues',
    summary:
      'What was created, started and finished in each of the last minutes, and how long it waited and ran',
    access: 'read',
    method: 'GET',
    path: '/api/throughput',
    address: nowhere,
    query: readThroughputSchema,
    body: nothing,
    answers: { 200: json(throughputSchema, 'A bucket for each minute, the oldest first.') },
    handle: async ({ query }) => ({ status: 200, body: readThroughput(app, query) }),
  });
}
