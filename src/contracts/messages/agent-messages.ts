/**
 * What Signalbox and agents say to each other over NATS. Names are in camelCase, times RFC 3339 in UTC. What agents say
 * is strict: a field that is not known is refused. What agents are told may get new fields: they are to be ignored.
 *
 * A1 Every word about an attempt names the attempt and proves it with the token that came with the job.
 * A2 A message has an id, unique for its agent: `id`, or the header `Nats-Msg-Id`. Sent again, it counts once.
 */
import { z } from 'zod';
import { ID_PATTERN } from '../ids.ts';
import { JOB_FIELDS } from '../task-fields.ts';
import { LOG_STREAMS, OUTPUT_TYPES, usageSchema } from '../tasks.ts';
import type { AgentMessageKind } from './subjects.ts';

const id = z.string().regex(ID_PATTERN, 'use 1 to 64 characters of A-Z, a-z, 0-9, "_" and "-"');
const time = z.iso.datetime({ offset: true });
/** Characters of an error, a detail or a summary. */
export const MAX_TEXT = 20_000;
const shortText = z.string().max(MAX_TEXT);
const text = z.string().max(400_000);

/** Safe in a header and in a log. */
const messageId = z
  .string()
  .regex(/^[A-Za-z0-9._:/-]{1,128}$/, 'use 1 to 128 characters of A-Z a-z 0-9 . _ : / -');

/** One process that works for an agent. Several may, on one machine or on many. */
export const workerSchema = z.strictObject({
  /** Unique for this process, and the same as long as it lives. */
  id: z.string().regex(/^[A-Za-z0-9._:-]{1,100}$/, 'use 1 to 100 characters of A-Z a-z 0-9 . _ : -'),
  host: z.string().max(255).optional(),
  pid: z.int().min(1).optional(),
});
export type WorkerIdentity = z.output<typeof workerSchema>;

const attemptAddress = { project: id, taskId: id, attempt: z.int().min(1) };
const word = {
  id: messageId.optional(),
  ...attemptAddress,
  token: z.string().max(200),
  worker: workerSchema.optional(),
};

/** What is too large for a message: left in the agent's bucket of the object store. */
export const storedObjectSchema = z.strictObject({
  name: z.string().min(1).max(500),
  size: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type StoredObject = z.output<typeof storedObjectSchema>;

const outputFields = {
  outputType: z.enum(OUTPUT_TYPES).default('other'),
  title: z.string().trim().min(1).max(500),
  content: text.optional(),
  object: storedObjectSchema.optional(),
  summary: shortText.optional(),
};
const hasContent = (output: { content?: unknown; object?: unknown }): boolean =>
  (output.content === undefined) !== (output.object === undefined);
const contentNeeded = { message: 'give either "content" or "object"', path: ['content'] };

export const remoteOutputSchema = z.strictObject(outputFields).refine(hasContent, contentNeeded);
export type RemoteOutput = z.output<typeof remoteOutputSchema>;

export const RESULT_STATUSES = ['completed', 'failed', 'cancelled', 'timed_out', 'given_back'] as const;

export const agentMessageSchemas = {
  /** A worker is there. */
  announce: z.strictObject({
    id: messageId.optional(),
    type: z.literal('announce'),
    agent: id,
    worker: workerSchema.optional(),
    capabilities: z.array(id).max(100).optional(),
    concurrency: z.int().min(1).max(10_000).optional(),
    version: z.string().max(100).optional(),
    timestamp: time.optional(),
  }),
  /** A worker lives, and works on this. `offline` is a goodbye. */
  heartbeat: z.strictObject({
    id: messageId.optional(),
    type: z.literal('heartbeat'),
    agent: id,
    status: z.enum(['idle', 'busy', 'draining', 'offline']),
    /** The first of its tasks, for those who do one at a time. */
    currentTask: id.nullable().optional(),
    tasks: z.array(z.strictObject(attemptAddress)).max(10_000).optional(),
    worker: workerSchema.optional(),
    timestamp: time,
  }),
  /** How it goes. The first word of an attempt says that the worker begins; it begins when that is answered. */
  status: z.strictObject({
    ...word,
    type: z.literal('status'),
    status: z.enum(['working', 'review', 'failed', 'blocked']),
    detail: shortText.optional(),
  }),
  output: z
    .strictObject({ ...word, type: z.literal('output'), ...outputFields })
    .refine(hasContent, contentNeeded),
  comment: z.strictObject({
    ...word,
    type: z.literal('comment'),
    body: z.string().trim().min(1).max(100_000),
  }),
  /** A piece of what the attempt's process has printed. */
  log: z.strictObject({
    ...word,
    type: z.literal('log'),
    stream: z.enum(LOG_STREAMS),
    /** Bytes before this piece. */
    offset: z.int().min(0),
    /** Base64. */
    data: z.base64().max(700_000),
  }),
  /** The attempt is over. */
  result: z.strictObject({
    ...word,
    type: z.literal('result'),
    status: z.enum(RESULT_STATUSES),
    /** The outputs that the run itself brought; they count where the attempt has posted none. */
    content: z.array(remoteOutputSchema).max(100).default([]),
    error: shortText.optional(),
    exitCode: z.int().optional(),
    signal: z.string().max(20).optional(),
    stderrTail: shortText.optional(),
    peakMemoryBytes: z.int().min(0).optional(),
    cpuMs: z.int().min(0).optional(),
    usage: usageSchema.optional(),
    /** The quota of the agent is used up, until then. */
    quota: z.strictObject({ reason: z.string().max(1_000), until: time }).optional(),
    /** What a kill did, and what it proves. */
    evidence: z.record(z.string(), z.unknown()).optional(),
    metadata: z.strictObject({ completedAt: time, /** Milliseconds. */ duration: z.number().min(0) }),
  }),
} as const satisfies Record<AgentMessageKind, z.ZodType>;

export type AgentMessageOf<Kind extends AgentMessageKind> = z.output<(typeof agentMessageSchemas)[Kind]>;
export type AgentMessage = { [Kind in AgentMessageKind]: AgentMessageOf<Kind> }[AgentMessageKind];
/** As it is sent: what has a default may be left out. */
export type AgentMessageInput<Kind extends AgentMessageKind> = z.input<(typeof agentMessageSchemas)[Kind]>;
/** A message about one attempt. */
export type AttemptMessage = Exclude<AgentMessage, { type: 'announce' | 'heartbeat' }>;

/** A job in the queue of a remote agent. */
export const jobSchema = z.object({
  type: z.literal('task'),
  taskId: id,
  project: id,
  attempt: z.int().min(1),
  /** To be given with every word about the attempt. */
  token: z.string(),
  /** Who asks for it. */
  source: z.string(),
  /** Who is to do it. */
  target: id,
  ...JOB_FIELDS,
  content: z.object({ action: z.string().nullable(), params: z.record(z.string(), z.unknown()) }),
  /** The text that a language model would get, with what earlier attempts came to. */
  prompt: z.string(),
  /** Where the attempt can write back by HTTP; null where it cannot. */
  url: z.string().nullable(),
  /** W3C trace context of the attempt, for whatever the agent calls. */
  traceparent: z.string(),
  tracestate: z.string().optional(),
  metadata: z.object({
    createdAt: time,
    /** Not to be begun after that. */
    expireAt: time,
    /** Attempts before this one. */
    retryCount: z.int().min(0),
    maxRetries: z.int().min(0),
  }),
  limits: z.object({
    timeoutSeconds: z.number().positive(),
    killGraceSeconds: z.number().min(0),
    /** How often a worker has to report. */
    heartbeatSeconds: z.number().positive(),
  }),
});
export type Job = z.output<typeof jobSchema>;

/** What became of a message of an agent. */
export const answerSchema = z.object({
  type: z.literal('answer'),
  /** The id of the message that is answered. */
  id: z.string(),
  ok: z.boolean(),
  /** Of the table in docs/reference/errors.md; absent where it is ok. */
  code: z.string().optional(),
  detail: z.string().optional(),
  /** Attempts that the worker works on and that are to be stopped. */
  cancel: z.array(z.object({ ...attemptAddress, reason: z.string() })).optional(),
  /** How often this agent's workers have to report. */
  heartbeatSeconds: z.number().positive().optional(),
});
export type AgentAnswerMessage = z.output<typeof answerSchema>;

/** An attempt is to be stopped. It may be lost on the way: the answer to the next heartbeat says it again. */
export const cancelSchema = z.object({
  type: z.literal('cancel'),
  ...attemptAddress,
  reason: z.string(),
  graceSeconds: z.number().min(0),
});
export type CancelMessage = z.output<typeof cancelSchema>;

/** A message that was refused. */
export const rejectionRecordSchema = z.object({
  agent: z.string(),
  kind: z.string(),
  id: z.string(),
  code: z.string(),
  reason: z.string(),
  bytes: z.int().min(0),
  time,
});
export type RejectionRecord = z.output<typeof rejectionRecordSchema>;
