/** Webhooks, and the events that could not be delivered. */
import {
  chooseLettersSchema,
  redeliveredSchema,
  webhookLettersSchema,
  webhookListSchema,
} from '../../contracts/api/webhooks.ts';
import { json, NO_INPUT, operation } from '../operation.ts';
import { webhookParams } from '../params.ts';

const WEBHOOK = '/api/webhooks/{webhook}';
const webhook = { group: 'Events', needs: 'webhooks' } as const;

/** Milliseconds: receivers may be slow. */
const REDELIVERY_WAIT_MS = 60_000;

export const listWebhooks = operation({
  ...webhook,
  name: 'listWebhooks',
  summary: 'List the configured webhooks, with the lag and the last error of each',
  access: 'read',
  http: { method: 'GET', path: '/api/webhooks' },
  input: NO_INPUT,
  answers: { 200: json(webhookListSchema, 'The webhooks.') },
  handle: ({ webhooks }) => ({ webhooks: webhooks.list() }),
});

export const listWebhookDeadLetters = operation({
  ...webhook,
  name: 'listWebhookDeadLetters',
  summary: 'List the events that could not be delivered to a webhook, oldest first',
  access: 'read',
  http: { method: 'GET', path: `${WEBHOOK}/dead-letters` },
  input: { ...NO_INPUT, params: webhookParams },
  answers: { 200: json(webhookLettersSchema, 'The dead letters.') },
  errors: ['not_found'],
  handle: ({ webhooks }, { params }) => ({ dead_letters: webhooks.letters(params.webhook) }),
});

const choice = {
  ...webhook,
  access: 'operate',
  input: { ...NO_INPUT, params: webhookParams, body: chooseLettersSchema },
  example: { sequences: [4711] },
  errors: ['not_found', 'nats_unavailable', 'log_corrupt'],
  waitMs: () => REDELIVERY_WAIT_MS,
} as const;

export const redeliverWebhook = operation({
  ...choice,
  name: 'redeliverWebhook',
  summary: 'Redeliver dead letters, once each; accepted ones are removed',
  http: { method: 'POST', path: `${WEBHOOK}/redeliver` },
  answers: { 200: json(redeliveredSchema, 'What was accepted, and what was not.') },
  handle: ({ webhooks }, { params, body }) => webhooks.redeliver(params.webhook, body),
});

export const discardWebhook = operation({
  ...choice,
  name: 'discardWebhook',
  summary: 'Discard dead letters; their events stay in the log',
  http: { method: 'POST', path: `${WEBHOOK}/discard` },
  answers: { 200: json(redeliveredSchema, 'What was removed ("delivered"), and what was not there.') },
  handle: ({ webhooks }, { params, body }) => webhooks.discard(params.webhook, body),
});
