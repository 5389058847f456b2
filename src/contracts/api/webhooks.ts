/** Webhooks: what the configuration says of one, and what is answered about it. */
import { z } from 'zod';
import { backoffSchema, seconds, whole } from '../config-values.ts';
import { EVENT_TYPES } from '../events/events.ts';

const urlError = 'expected a URL that begins with http:// or https://, without a user or password in it';

const hasNoCredentials = (text: string): boolean => {
  const { username, password } = new URL(text);
  return username === '' && password === '';
};

const BEGINNINGS = ['*', ...new Set(EVENT_TYPES.map((type) => `${type.split('.')[0]}.*`))];

export const webhookConfigSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: urlError, abort: true })
    .refine(hasNoCredentials, urlError)
    .describe('Where events are sent by POST. Redirects are not followed.'),
  events: z
    .array(z.enum([...EVENT_TYPES, ...BEGINNINGS]))
    .min(1)
    .describe('Types of events; "task.*" for all that begin so, "*" for all.'),
  project: z.string().optional().describe('Only events of this project.'),
  secret_env: z
    .string()
    .regex(/^[A-Za-z_]\w*$/, 'expected the name of a variable of the environment')
    .describe('The variable that holds the secret of the signature: "whsec_" and base64, or any text.'),
  timeout_seconds: seconds().default(10).describe('How long the receiver may take to answer.'),
  max_attempts: whole(1, 100).default(8).describe('Tries for one event, after which it is a dead letter.'),
  backoff: backoffSchema.prefault({}).describe('The wait before a retry.'),
});
export type WebhookConfig = z.output<typeof webhookConfigSchema>;

const count = z.int().min(0);
const time = z.iso.datetime();

export const webhookAnswerSchema = z.strictObject({
  id: z.string(),
  /** Where to, without path and query: they may hold secrets. */
  target: z.string(),
  events: z.array(z.string()),
  project: z.string().nullable(),
  /** `waiting` for events, `delivering`, `retrying` after a failure, `halted` because it has too many dead letters. */
  state: z.enum(['waiting', 'delivering', 'retrying', 'halted']),
  /** Place in the log up to which everything is delivered or given up. */
  position: count,
  /** Events of the log after it, those that do not concern it included. */
  lag: count,
  dead_letters: count,
  last_error: z.string().nullable(),
  last_delivery_at: time.nullable(),
});
export type WebhookAnswer = z.output<typeof webhookAnswerSchema>;

export const webhookListSchema = z.strictObject({ webhooks: z.array(webhookAnswerSchema) });

/** An event that was given up. Its content is in the log. */
export const webhookLetterSchema = z.strictObject({
  sequence: z.int().min(1),
  event_id: z.string(),
  type: z.string(),
  attempts: z.int().min(1),
  error: z.string(),
  time,
});
export type WebhookLetter = z.output<typeof webhookLetterSchema>;

export const webhookLettersSchema = z.strictObject({ dead_letters: z.array(webhookLetterSchema) });

/** What is sent again at once. */
export const MAX_REDELIVERIES = 50;

export const chooseLettersSchema = z
  .strictObject({
    sequences: z.array(z.int().min(1)).min(1).max(MAX_REDELIVERIES).optional(),
    /** The oldest ones, as many as are taken at once. */
    all: z.literal(true).optional(),
  })
  .refine(({ sequences, all }) => (sequences === undefined) !== (all === undefined), {
    message: 'say which: "sequences", or "all": true',
    path: [],
  });
export type ChooseLetters = z.output<typeof chooseLettersSchema>;

export const redeliveredSchema = z.strictObject({
  delivered: z.array(z.int()),
  errors: z.array(z.strictObject({ sequence: z.int(), detail: z.string() })),
  /** Dead letters that are left. */
  left: count,
});
export type Redelivered = z.output<typeof redeliveredSchema>;
