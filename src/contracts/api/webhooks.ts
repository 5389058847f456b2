/** Webhooks: their configuration, and the answers about them. */
import { z } from 'zod';
import { backoffSchema, seconds, whole } from '../config-values.ts';
import { EVENT_TYPES } from '../events/events.ts';
import { count, time } from '../fields.ts';

const urlError = 'expected a URL that begins with http:// or https://, without user and password';

const hasNoCredentials = (text: string): boolean => {
  const { username, password } = new URL(text);
  return username === '' && password === '';
};

const BEGINNINGS = ['*', ...new Set(EVENT_TYPES.map((type) => `${type.split('.')[0]}.*`))];

export const webhookConfigSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: urlError, abort: true })
    .refine(hasNoCredentials, urlError)
    .describe('The URL that gets events by POST. Redirects are not followed.'),
  events: z
    .array(z.enum([...EVENT_TYPES, ...BEGINNINGS]))
    .min(1)
    .describe('Types of events; "task.*" for all types with this prefix, "*" for all.'),
  project: z.string().optional().describe('Only events of this project.'),
  secret_env: z
    .string()
    .regex(/^[A-Za-z_]\w*$/, 'expected the name of an environment variable')
    .describe('The variable that holds the secret of the signature: "whsec_" and base64, or any text.'),
  timeout_seconds: seconds().default(10).describe('How long the receiver may take to answer.'),
  max_attempts: whole(1, 100)
    .default(8)
    .describe('Delivery attempts for one event, after which it is a dead letter.'),
  backoff: backoffSchema.prefault({}).describe('The wait before a retry.'),
});
export type WebhookConfig = z.output<typeof webhookConfigSchema>;

export const webhookAnswerSchema = z.strictObject({
  id: z.string(),
  /** The origin of the URL. Path and query may contain secrets. */
  target: z.string(),
  events: z.array(z.string()),
  project: z.string().nullable(),
  /** `waiting` for events, `delivering`, `retrying` after a failure, `halted` because it has too many dead letters. */
  state: z.enum(['waiting', 'delivering', 'retrying', 'halted']),
  /** Sequence up to which everything was delivered or became a dead letter. */
  position: count,
  /** Events after this position, including those that are not for it. */
  lag: count,
  dead_letters: count,
  last_error: z.string().nullable(),
  last_delivery_at: time.nullable(),
});
export type WebhookAnswer = z.output<typeof webhookAnswerSchema>;

export const webhookListSchema = z.strictObject({ webhooks: z.array(webhookAnswerSchema) });

/** An event that could not be delivered. Its content is in the log. */
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

/** How many are redelivered in one request. */
export const MAX_REDELIVERIES = 50;

export const chooseLettersSchema = z
  .strictObject({
    sequences: z.array(z.int().min(1)).min(1).max(MAX_REDELIVERIES).optional(),
    /** The oldest ones, up to the limit of one request. */
    all: z.literal(true).optional(),
  })
  .refine(({ sequences, all }) => (sequences === undefined) !== (all === undefined), {
    message: 'give "sequences", or "all": true',
    path: [],
  });
export type ChooseLetters = z.output<typeof chooseLettersSchema>;

export const redeliveredSchema = z.strictObject({
  delivered: z.array(z.int()),
  errors: z.array(z.strictObject({ sequence: z.int(), detail: z.string() })),
  /** Remaining dead letters. */
  left: count,
});
export type Redelivered = z.output<typeof redeliveredSchema>;
