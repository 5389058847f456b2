/** Where events are sent, and what could not be delivered. */
import {
  type ChooseLetters,
  chooseLettersSchema,
  type Redelivered,
  redeliveredSchema,
  type WebhookAnswer,
  type WebhookLetter,
  webhookLettersSchema,
  webhookListSchema,
} from '../../contracts/api/webhooks.ts';
import { idParam, json, nothing, nowhere, type Serve } from '../operation.ts';

/** What the routes need of them. */
export interface WebhookDesk {
  list(): readonly WebhookAnswer[];
  letters(id: string): readonly WebhookLetter[];
  redeliver(id: string, choice: ChooseLetters): Promise<Redelivered>;
  discard(id: string, choice: ChooseLetters): Promise<Redelivered>;
}

const WEBHOOKS = '/api/webhooks';
const WEBHOOK = `${WEBHOOKS}/:webhook`;
/** Milliseconds: receivers may be slow. */
const REDELIVERY_PATIENCE_MS = 60_000;

export function serveWebhooks(serve: Serve, desk: WebhookDesk): void {
  serve({
    name: 'listWebhooks',
    group: 'Events',
    summary: 'The webhooks of the configuration, and how far each is',
    access: 'read',
    method: 'GET',
    path: WEBHOOKS,
    address: nowhere,
    query: nothing,
    body: nothing,
    answers: { 200: json(webhookListSchema, 'The webhooks.') },
    handle: async () => ({ status: 200, body: { webhooks: desk.list() } }),
  });
  serve({
    name: 'listWebhookDeadLetters',
    group: 'Events',
    summary: 'The events that a webhook has given up, the oldest first',
    access: 'read',
    method: 'GET',
    path: `${WEBHOOK}/dead-letters`,
    address: idParam('webhook'),
    query: nothing,
    body: nothing,
    answers: { 200: json(webhookLettersSchema, 'The dead letters.') },
    refusals: ['not_found'],
    handle: async ({ address }) => ({ status: 200, body: { dead_letters: desk.letters(address) } }),
  });
  const choosing = {
    group: 'Events',
    access: 'operate',
    method: 'POST',
    address: idParam('webhook'),
    query: nothing,
    body: chooseLettersSchema,
    example: { sequences: [4711] },
    refusals: ['not_found', 'nats_unavailable', 'log_corrupt'],
    patience: () => REDELIVERY_PATIENCE_MS,
  } as const;
  serve({
    ...choosing,
    name: 'redeliverWebhook',
    summary: 'Send dead letters again, once each',
    path: `${WEBHOOK}/redeliver`,
    answers: { 200: json(redeliveredSchema, 'What was taken, and what was not.') },
    handle: async ({ address, body }) => ({ status: 200, body: await desk.redeliver(address, body) }),
  });
  serve({
    ...choosing,
    name: 'discardWebhook',
    summary: 'Drop dead letters for good; their events stay in the log',
    path: `${WEBHOOK}/discard`,
    answers: { 200: json(redeliveredSchema, 'What was dropped ("delivered"), and what was not there.') },
    handle: async ({ address, body }) => ({ status: 200, body: await desk.discard(address, body) }),
  });
}
