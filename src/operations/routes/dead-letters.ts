/** Tasks that were given up, and putting them back. */
import type { AppContext } from '../../app/context.ts';
import { listDeadLetters, redriveDeadLetters } from '../../app/tasks/dead-letters.ts';
import { deadLetterPageSchema, redriveAnswerSchema } from '../../contracts/api/answers.ts';
import { listDeadLettersSchema, redriveSchema } from '../../contracts/api/requests.ts';
import { logTag, tagged } from '../answers/entity-tag.ts';
import { ETAG, IF_NONE_MATCH, json, NOT_MODIFIED, nothing, nowhere, type Serve } from '../operation.ts';
import { COMMITS } from '../refusals.ts';
import { DEAD_LETTERS } from './paths.ts';

export function serveDeadLetters(serve: Serve, app: AppContext): void {
  serve({
    name: 'listDeadLetters',
    group: 'Queues',
    summary: 'Tasks that used up their attempts or expired, with the last error',
    access: 'read',
    method: 'GET',
    path: DEAD_LETTERS,
    address: nowhere,
    query: listDeadLettersSchema,
    body: nothing,
    headers: IF_NONE_MATCH,
    answers: { 200: json(deadLetterPageSchema, 'A page of them.', ETAG), 304: NOT_MODIFIED },
    handle: async ({ query, headers }) => tagged(logTag(app), headers, () => listDeadLetters(app, query)),
  });
  serve({
    name: 'redriveDeadLetters',
    group: 'Queues',
    summary: 'Put dead letters back to pending with fresh attempts, by ids or by filter',
    access: 'operate',
    method: 'POST',
    path: `${DEAD_LETTERS}/redrive`,
    address: nowhere,
    query: nothing,
    body: redriveSchema,
    example: { project: 'demo', status: 'failed', dry_run: true },
    answers: { 200: json(redriveAnswerSchema, 'What was redriven, and what was not.') },
    refusals: COMMITS,
    handle: async ({ body, caller }) => ({
      status: 200,
      body: await redriveDeadLetters(app, body, caller.actor),
    }),
  });
}
