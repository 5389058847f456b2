/** Tasks that were given up, and redriving them. */
import { deadLetterPageSchema, redriveAnswerSchema } from '../../contracts/api/answers.ts';
import { listDeadLettersSchema, redriveSchema } from '../../contracts/api/requests.ts';
import { COMMITS } from '../errors.ts';
import { ETAG, IF_NONE_MATCH, NOT_MODIFIED, tagged } from '../headers.ts';
import { json, NO_INPUT, operation } from '../operation.ts';

export const listDeadLetters = operation({
  name: 'listDeadLetters',
  group: 'Queues',
  summary: 'List tasks that used up their attempts or expired, with the last error',
  access: 'read',
  http: { method: 'GET', path: '/api/dead-letters' },
  input: { ...NO_INPUT, query: listDeadLettersSchema },
  headers: IF_NONE_MATCH,
  answers: { 200: json(deadLetterPageSchema, 'A page of dead letters.', ETAG), 304: NOT_MODIFIED },
  handle: ({ deadLetters, system }, { query, headers }) =>
    tagged(system.etag(), headers, () => deadLetters.list(query)),
});

export const redriveDeadLetters = operation({
  name: 'redriveDeadLetters',
  group: 'Queues',
  summary: 'Redrive dead letters, by ids or by filter: each is pending again, with new attempts',
  access: 'operate',
  http: { method: 'POST', path: '/api/dead-letters/redrive' },
  input: { ...NO_INPUT, body: redriveSchema },
  example: { project: 'demo', status: 'failed', dry_run: true },
  answers: { 200: json(redriveAnswerSchema, 'What was redriven, and what was not.') },
  errors: COMMITS,
  handle: ({ deadLetters }, { body, caller }) => deadLetters.redrive(body, caller.actor),
});
