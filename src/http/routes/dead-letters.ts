/** Tasks that were given up, and putting them back. */
import type { AppContext } from '../../app/context.ts';
import { listDeadLetters, redriveDeadLetters } from '../../app/dead-letters.ts';
import { listDeadLettersSchema, redriveSchema } from '../../contracts/requests.ts';
import { operatorOf } from '../credentials.ts';
import { nothing, nowhere, type Serve } from '../operation.ts';
import { DEAD_LETTERS } from './paths.ts';

export function serveDeadLetters(serve: Serve, app: AppContext): void {
  serve({
    method: 'GET',
    path: DEAD_LETTERS,
    address: nowhere,
    query: listDeadLettersSchema,
    body: nothing,
    handle: async ({ query }) => ({ status: 200, body: listDeadLetters(app, query) }),
  });
  serve({
    method: 'POST',
    path: `${DEAD_LETTERS}/redrive`,
    address: nowhere,
    query: nothing,
    body: redriveSchema,
    handle: async ({ body, headers }) => {
      const actor = operatorOf(headers.authorization);
      return { status: 200, body: await redriveDeadLetters(app, body, actor) };
    },
  });
}
