/** Queues of waiting tasks, an operator's decisions about them, and the throughput. */
import { queueAnswerSchema, queueListSchema } from '../../contracts/api/answers.ts';
import { decisionSchema } from '../../contracts/api/requests.ts';
import { readThroughputSchema, throughputSchema } from '../../contracts/api/throughput.ts';
import { COMMITS } from '../errors.ts';
import { ETAG, IF_NONE_MATCH, NOT_MODIFIED, tagged } from '../headers.ts';
import { json, NO_INPUT, operation } from '../operation.ts';
import { queueParams } from '../params.ts';

const QUEUE = '/api/queues/{kind}/{name}';

export const listQueues = operation({
  name: 'listQueues',
  group: 'Queues',
  summary: 'List the queues: how many tasks wait for each agent and each task type, and since when',
  access: 'read',
  http: { method: 'GET', path: '/api/queues' },
  input: NO_INPUT,
  headers: IF_NONE_MATCH,
  answers: { 200: json(queueListSchema, 'The queues.', ETAG), 304: NOT_MODIFIED },
  handle: ({ queues, system }, { headers }) =>
    tagged(system.etag(), headers, () => ({ queues: queues.list() })),
});

const decision = {
  group: 'Queues',
  access: 'operate',
  input: { ...NO_INPUT, params: queueParams, body: decisionSchema },
  example: { by: 'ann', comment: 'the test machine is being moved' },
  answers: { 200: json(queueAnswerSchema, 'The queue after the decision.') },
  errors: [...COMMITS, 'queue_not_found'],
} as const;

export const pauseQueue = operation({
  ...decision,
  name: 'pauseQueue',
  summary: 'Pause a queue: no task of it is assigned until it is resumed; running attempts continue',
  http: { method: 'POST', path: `${QUEUE}/pause` },
  handle: ({ queues }, { params, body, caller }) => queues.decide(params, 'pause', body, caller.actor),
});

export const resumeQueue = operation({
  ...decision,
  name: 'resumeQueue',
  summary: 'Resume a queue: its tasks are assigned again',
  http: { method: 'POST', path: `${QUEUE}/resume` },
  handle: ({ queues }, { params, body, caller }) => queues.decide(params, 'resume', body, caller.actor),
});

export const readThroughput = operation({
  name: 'readThroughput',
  group: 'Queues',
  summary:
    'Read the throughput per minute: tasks created, started and finished, with their waiting and run times',
  access: 'read',
  http: { method: 'GET', path: '/api/throughput' },
  input: { ...NO_INPUT, query: readThroughputSchema },
  answers: { 200: json(throughputSchema, 'A bucket for each minute, oldest first.') },
  handle: ({ queues }, { query }) => queues.throughput(query),
});
