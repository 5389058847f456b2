/** What waits, and what an operator decides about it. */
import type { AppContext } from '../../app/context.ts';
import {
  decideQueue,
  QUEUE_DECISIONS,
  type QueueDecision,
  type QueueName,
} from '../../app/overview/decide-queue.ts';
import { listQueues } from '../../app/overview/queues.ts';
import { queueAnswerSchema, queueListSchema } from '../../contracts/api/answers.ts';
import { decisionSchema } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { agentId, checkedId } from '../../contracts/ids.ts';
import { logTag, tagged } from '../answers/entity-tag.ts';
import {
  ETAG,
  IF_NONE_MATCH,
  json,
  NOT_MODIFIED,
  nothing,
  nowhere,
  type PathParams,
  type Serve,
} from '../operation.ts';
import { COMMITS } from '../refusals.ts';
import { QUEUE, QUEUES } from './paths.ts';

/** @throws SignalboxError `invalid_id`, `invalid_request` */
const atQueue = ({ kind = '', name = '' }: PathParams): QueueName => {
  if (kind === 'agent') return { kind, name: agentId(name) };
  if (kind === 'type') return { kind, name: checkedId('type', name) };
  throw new SignalboxError(
    'invalid_request',
    `queue ${JSON.stringify(kind.slice(0, 80))}: expected "agent" for the queue of one agent, or "type" for that of a type`,
  );
};

const SUMMARIES: Readonly<Record<QueueDecision, string>> = {
  pause: 'Hand out no task of a queue, whoever could take it, until it is resumed; what runs goes on',
  resume: 'Hand out the tasks of a queue again',
};

export function serveQueues(serve: Serve, app: AppContext): void {
  serve({
    name: 'listQueues',
    group: 'Queues',
    summary: 'What waits for each agent and each type of task, and since when',
    access: 'read',
    method: 'GET',
    path: QUEUES,
    address: nowhere,
    query: nothing,
    body: nothing,
    headers: IF_NONE_MATCH,
    answers: { 200: json(queueListSchema, 'The queues.', ETAG), 304: NOT_MODIFIED },
    handle: async ({ headers }) => tagged(logTag(app), headers, () => ({ queues: listQueues(app) })),
  });
  for (const decision of QUEUE_DECISIONS) {
    serve({
      name: `${decision}Queue`,
      group: 'Queues',
      summary: SUMMARIES[decision],
      access: 'operate',
      method: 'POST',
      path: `${QUEUE}/${decision}`,
      address: atQueue,
      query: nothing,
      body: decisionSchema,
      example: { by: 'ann', comment: 'the test machine is being moved' },
      answers: { 200: json(queueAnswerSchema, 'The queue as it is then.') },
      refusals: [...COMMITS, 'queue_not_found'],
      handle: async ({ address, body, caller }) => ({
        status: 200,
        body: await decideQueue(app, address, decision, body, caller.actor),
      }),
    });
  }
}
