/**
 * The messages between Signalbox and agents over NATS. Names are in camelCase, times RFC 3339 in UTC. Messages of agents
 * are strict: an unknown field is refused. Messages to agents may get new fields, which agents have to ignore.
 *
 * Every message about an attempt names the attempt and proves it with the token from the job. A message has an id that is
 * unique for its agent, as `id` or in the header `Nats-Msg-Id`: sent again, it counts once.
 */
import { z } from 'zod';
import { askQuestionSchema, givenAnswerSchema } from '../api/questions.ts';
import { id, title } from '../fields.ts';
import { JOB_FIELDS } from '../task-fields.ts';
import { LOG_STREAMS, OUTPUT_TYPES } from '../tasks.ts';
import { TRANSCRIPT_FORMATS } from '../transcript/schemas.ts';
import { reportedUsageSchema } from '../usage.ts';
import type { AgentMessageKind } from './subjects.ts';

const time = z.iso.datetime({ offset: true });
/** Characters of an error, a detail or a summary. */
export const MAX_TEXT = 20_000;
/** More than a task can have that are not delivered. */
export const MAX_STEERED = 1_000;
const shortText = z.string().max(MAX_TEXT);
const text = z.string().max(400_000);

/** Safe in a header and in a log. */
const messageId = z
  .string()
  .regex(/^[A-Za-z0-9._:/-]{1,128}$/, 'use 1 to 128 characters of A-Z a-z 0-9 . _ : / -');

/** One process that works for an agent. An agent may have several, on one machine or on many. */
export const workerSchema = z.strictObject({
  /** Unique for this process, and constant while it runs. */
  id: z.string().regex(/^[A-Za-z0-9._:-]{1,100}$/, 'use 1 to 100 characters of A-Z a-z 0-9 . _ : -'),
  host: z.string().max(255).optional(),
  pid: z.int().min(1).optional(),
});
export type WorkerIdentity = z.output<typeof workerSchema>;

const attemptAddress = { project: id, taskId: id, attempt: z.int().min(1) };

/** What becomes of messages of users to the agent of an attempt. */
const steeringFields = {
  /**
   * Absent: the agent reads them in the answer, with which they are delivered. `confirm`: the sender passes them on, and
   * names in `steered` what it has passed on; until then they come with every answer. `none`: they wait for the next prompt.
   */
  steering: z.enum(['confirm', 'none']).optional(),
  steered: z.array(z.string().max(100)).max(MAX_STEERED).optional(),
};
export type SteeringFields = z.output<z.ZodObject<typeof steeringFields>>;

const attemptMessage = {
  id: messageId.optional(),
  ...attemptAddress,
  token: z.string().max(200),
  worker: workerSchema.optional(),
  ...steeringFields,
};

/** Content that is too large for a message, in the agent's bucket of the object store. */
export const storedObjectSchema = z.strictObject({
  name: z.string().min(1).max(500),
  size: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type StoredObject = z.output<typeof storedObjectSchema>;

const outputFields = {
  outputType: z.enum(OUTPUT_TYPES).default('other'),
  title,
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
  /** A worker has started. */
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
  /** A worker is alive, and works on these tasks. `offline`: it leaves. */
  heartbeat: z.strictObject({
    id: messageId.optional(),
    type: z.literal('heartbeat'),
    agent: id,
    status: z.enum(['idle', 'busy', 'draining', 'offline']),
    /** Its first task, for workers that do one at a time. */
    currentTask: id.nullable().optional(),
    tasks: z
      .array(z.strictObject({ ...attemptAddress, ...steeringFields }))
      .max(10_000)
      .optional(),
    worker: workerSchema.optional(),
    timestamp: time,
  }),
  /** Progress. The first message of an attempt announces that the worker begins; it begins when that is answered. */
  status: z.strictObject({
    ...attemptMessage,
    type: z.literal('status'),
    status: z.enum(['working', 'review', 'failed', 'blocked']),
    detail: shortText.optional(),
  }),
  output: z
    .strictObject({ ...attemptMessage, type: z.literal('output'), ...outputFields })
    .refine(hasContent, contentNeeded),
  comment: z.strictObject({
    ...attemptMessage,
    type: z.literal('comment'),
    body: z.string().trim().min(1).max(100_000),
  }),
  /** A question, as over HTTP. With its id it is asked once: sent again, the message asks for its answer. */
  question: z.strictObject({
    ...attemptMessage,
    type: z.literal('question'),
    ask: askQuestionSchema.refine((ask) => ask.id !== undefined, {
      path: ['id'],
      message: 'give the question an id: the message is sent again to ask for the answer',
    }),
  }),
  /** The agent no longer waits for an answer to its question. The answer to this message has the one that counts. */
  withdrawal: z.strictObject({ ...attemptMessage, type: z.literal('withdrawal'), question: id }),
  /** A part of the output of the attempt's process. */
  log: z.strictObject({
    ...attemptMessage,
    type: z.literal('log'),
    stream: z.enum(LOG_STREAMS),
    /** Bytes before this part. */
    offset: z.int().min(0),
    /** Base64. */
    data: z.base64().max(700_000),
    /** How the agent writes what it says and does. With the first part of standard output; default: text. */
    format: z.enum(TRANSCRIPT_FORMATS).optional(),
  }),
  /** The attempt has ended. */
  result: z.strictObject({
    ...attemptMessage,
    type: z.literal('result'),
    status: z.enum(RESULT_STATUSES),
    /** The outputs of the run itself. They count if the attempt has posted none. */
    content: z.array(remoteOutputSchema).max(100).default([]),
    error: shortText.optional(),
    exitCode: z.int().optional(),
    signal: z.string().max(20).optional(),
    stderrTail: shortText.optional(),
    peakMemoryBytes: z.int().min(0).optional(),
    cpuMs: z.int().min(0).optional(),
    usage: reportedUsageSchema.optional(),
    /** The quota of the agent is used up until this time. */
    quota: z.strictObject({ reason: z.string().max(1_000), until: time }).optional(),
    /** What a kill did, and what proves it. */
    evidence: z.record(z.string(), z.unknown()).optional(),
    metadata: z.strictObject({ completedAt: time, /** Milliseconds. */ duration: z.number().min(0) }),
  }),
} as const satisfies Record<AgentMessageKind, z.ZodType>;

export type AgentMessageOf<Kind extends AgentMessageKind> = z.output<(typeof agentMessageSchemas)[Kind]>;
export type AgentMessage = { [Kind in AgentMessageKind]: AgentMessageOf<Kind> }[AgentMessageKind];
/** As it is sent: fields with a default may be left out. */
export type AgentMessageInput<Kind extends AgentMessageKind> = z.input<(typeof agentMessageSchemas)[Kind]>;
/** A message about one attempt. */
export type AttemptMessage = Exclude<AgentMessage, { type: 'announce' | 'heartbeat' }>;

/** A job in the queue of a remote agent. */
export const jobSchema = z.object({
  type: z.literal('task'),
  taskId: id,
  project: id,
  attempt: z.int().min(1),
  /** Needed in every message about the attempt. */
  token: z.string(),
  /** Who created the task. */
  source: z.string(),
  /** The agent. */
  target: id,
  ...JOB_FIELDS,
  content: z.object({ action: z.string().nullable(), params: z.record(z.string(), z.unknown()) }),
  /** The prompt for a language model, with the results of earlier attempts. */
  prompt: z.string(),
  /** Base URL for reports over HTTP; null if the attempt cannot use it. */
  url: z.string().nullable(),
  /** W3C trace context of the attempt, for calls of the agent. */
  traceparent: z.string(),
  tracestate: z.string().optional(),
  metadata: z.object({
    createdAt: time,
    /** The job must not be started after this time. */
    expireAt: time,
    /** Attempts before this one. */
    retryCount: z.int().min(0),
    maxRetries: z.int().min(0),
  }),
  limits: z.object({
    timeoutSeconds: z.number().positive(),
    killGraceSeconds: z.number().min(0),
    /** How often a worker has to send a heartbeat. */
    heartbeatSeconds: z.number().positive(),
  }),
});
export type Job = z.output<typeof jobSchema>;

/** The answer to a message of an agent. */
export const answerSchema = z.object({
  type: z.literal('answer'),
  /** The id of the answered message. */
  id: z.string(),
  ok: z.boolean(),
  /** An error code of docs/reference/errors.md; absent if `ok`. */
  code: z.string().optional(),
  detail: z.string().optional(),
  /** Attempts of the worker that it has to stop. */
  cancel: z.array(z.object({ ...attemptAddress, reason: z.string() })).optional(),
  /** How often this agent's workers have to send a heartbeat. */
  heartbeatSeconds: z.number().positive().optional(),
  /** The question of the message; its answer is null while it is open. */
  question: z.object({ id, answer: givenAnswerSchema.nullable() }).optional(),
  /** Messages of users to the agents of the attempts that the message is about. One that comes twice has the same id. */
  steering: z
    .array(z.object({ ...attemptAddress, id: z.string(), text: z.string(), by: z.string(), time }))
    .optional(),
});
export type AgentAnswerMessage = z.output<typeof answerSchema>;
export type SteeringItem = NonNullable<AgentAnswerMessage['steering']>[number];

/** Stop an attempt. This message may be lost: the answer to the next heartbeat repeats it. */
export const cancelSchema = z.object({
  type: z.literal('cancel'),
  ...attemptAddress,
  reason: z.string(),
  graceSeconds: z.number().min(0),
});
export type CancelMessage = z.output<typeof cancelSchema>;
