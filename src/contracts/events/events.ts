/**
 * The one vocabulary: an event here is what a machine receives, what the log keeps, and what a replay sends again.
 *
 * V1 An event's meaning never changes. A new meaning is a new type, or a new version with an upcaster.
 * V2 An event carries its own address (project, task, attempt, agent), so that it can be routed without its subject.
 * V3 Time, ids and random choices stand on the event: a machine needs nothing else to follow it.
 */
import { z } from 'zod';
import { ATTEMPT_OUTCOMES, outputSchema, STOP_REASONS, taskSpecSchema, usageSchema } from '../tasks.ts';

const task = { project: z.string(), task: z.string() };
const attempt = { ...task, attempt: z.int().min(1) };
const agent = { agent: z.string() };
/** `agent:<id>` for the tasks of one agent, `type:<name>` for those of one type. */
const queue = { queue: z.string() };

/** Epoch milliseconds of the next try, or null where the supervisor sees no sense in another one. */
const retryAt = { retry_at_ms: z.int().nullable() };

const evidenceSchema = z.record(z.string(), z.unknown());

export const eventSchemas = {
  'task.created': z.strictObject({
    type: z.literal('task.created'),
    ...task,
    spec: taskSpecSchema,
    /** SHA-256 (hex) of the request in canonical form: the same request again creates nothing. */
    request_sha256: z.string(),
    /** Those of `depends_on` that were not done when it was created. */
    waiting_for: z.array(z.string()).optional(),
  }),
  'task.due': z.strictObject({ type: z.literal('task.due'), ...task }),
  'task.dependency_met': z.strictObject({
    type: z.literal('task.dependency_met'),
    ...task,
    dependency: z.string(),
  }),
  'task.claimed': z.strictObject({
    type: z.literal('task.claimed'),
    ...attempt,
    ...agent,
    /** SHA-256 (hex) of the token; the token itself is never logged. Absent where the agent has no way to speak. */
    token_sha256: z.string().optional(),
  }),
  'task.progress_reported': z.strictObject({
    type: z.literal('task.progress_reported'),
    ...attempt,
    ...agent,
    detail: z.string().optional(),
  }),
  'task.output_added': z.strictObject({
    type: z.literal('task.output_added'),
    ...task,
    attempt: z.int().min(1).nullable(),
    output: outputSchema,
  }),
  'task.comment_added': z.strictObject({
    type: z.literal('task.comment_added'),
    ...task,
    author: z.string(),
    body: z.string(),
  }),
  'task.submitted': z.strictObject({
    type: z.literal('task.submitted'),
    ...attempt,
    ...agent,
    detail: z.string().optional(),
  }),
  'task.failure_reported': z.strictObject({
    type: z.literal('task.failure_reported'),
    ...attempt,
    ...agent,
    detail: z.string(),
    ...retryAt,
  }),
  'task.blocked': z.strictObject({
    type: z.literal('task.blocked'),
    ...task,
    attempt: z.int().min(1).nullable(),
    reason: z.string(),
    /** The task that it depends on and that came to nothing; it goes on by itself when that one is done after all. */
    dependency: z.string().optional(),
  }),
  'task.unblocked': z.strictObject({
    type: z.literal('task.unblocked'),
    ...task,
    comment: z.string().optional(),
  }),
  'task.approved': z.strictObject({
    type: z.literal('task.approved'),
    ...task,
    comment: z.string().optional(),
  }),
  'task.rejected': z.strictObject({ type: z.literal('task.rejected'), ...task, comment: z.string() }),
  'task.cancelled': z.strictObject({
    type: z.literal('task.cancelled'),
    ...task,
    reason: z.string().optional(),
  }),
  'task.expired': z.strictObject({ type: z.literal('task.expired'), ...task }),
  'task.redriven': z.strictObject({
    type: z.literal('task.redriven'),
    ...task,
    comment: z.string().optional(),
  }),
  /** The content of an earlier event of the task is gone from the log; this stands for it (redaction.ts). */
  'task.redacted': z.strictObject({
    type: z.literal('task.redacted'),
    ...task,
    reason: z.string(),
    /** The event whose content goes. */
    sequence: z.int().min(1),
    /** SHA-256 (hex) of its bytes as they were stored: its link in the hash chain. */
    sha256: z.string(),
    /** Its CloudEvent with a marker for each text: what is read in its place. */
    skeleton: z.record(z.string(), z.unknown()),
  }),

  'attempt.started': z.strictObject({
    type: z.literal('attempt.started'),
    ...attempt,
    ...agent,
    driver: z.string(),
    host: z.string(),
    pid: z.int().optional(),
    /** The system's own start time of the process: a pid alone may be another process by now. */
    start_time: z.string().optional(),
    /** The agent's own session, where it is known from the start. */
    session: z.string().optional(),
    /** Epoch milliseconds at which the attempt times out. */
    deadline_ms: z.int(),
  }),
  'attempt.suspected': z.strictObject({
    type: z.literal('attempt.suspected'),
    ...attempt,
    reason: z.string(),
  }),
  'attempt.recovered': z.strictObject({
    type: z.literal('attempt.recovered'),
    ...attempt,
    evidence: z.string(),
  }),
  'attempt.stop_requested': z.strictObject({
    type: z.literal('attempt.stop_requested'),
    ...attempt,
    reason: z.enum(STOP_REASONS),
  }),
  'attempt.ended': z.strictObject({
    type: z.literal('attempt.ended'),
    ...attempt,
    ...agent,
    outcome: z.enum(ATTEMPT_OUTCOMES),
    exit_code: z.int().optional(),
    signal: z.string().optional(),
    error: z.string().optional(),
    stderr_tail: z.string().optional(),
    peak_memory_bytes: z.int().optional(),
    cpu_ms: z.int().optional(),
    usage: usageSchema.optional(),
    /** The session by which a later attempt can go on; empty where the one it had is of no use any more. */
    session: z.string().optional(),
    evidence: evidenceSchema.optional(),
    ...retryAt,
  }),
  /** A word that came too late, or from an attempt that is not the open one. It changes nothing. */
  'attempt.message_rejected': z.strictObject({
    type: z.literal('attempt.message_rejected'),
    ...attempt,
    message: z.enum(['status', 'output', 'comment', 'heartbeat', 'result']),
    reason: z.string(),
  }),

  'agent.registered': z.strictObject({
    type: z.literal('agent.registered'),
    ...agent,
    driver: z.string(),
    capabilities: z.array(z.string()),
    concurrency: z.int().min(1),
  }),
  'agent.paused': z.strictObject({
    type: z.literal('agent.paused'),
    ...agent,
    reason: z.string().optional(),
  }),
  'agent.drained': z.strictObject({
    type: z.literal('agent.drained'),
    ...agent,
    reason: z.string().optional(),
  }),
  'agent.resumed': z.strictObject({
    type: z.literal('agent.resumed'),
    ...agent,
    reason: z.string().optional(),
  }),
  /** The circuit breaker: no claims until then, because of what happened. */
  'agent.parked': z.strictObject({
    type: z.literal('agent.parked'),
    ...agent,
    reason: z.string(),
    until_ms: z.int(),
  }),
  /** The time is over: one attempt is let through to see whether it works again. */
  'agent.probed': z.strictObject({ type: z.literal('agent.probed'), ...agent }),
  'agent.unparked': z.strictObject({ type: z.literal('agent.unparked'), ...agent }),
  /** Of an agent on other machines: the first of its workers has said that it is there. */
  'agent.connected': z.strictObject({ type: z.literal('agent.connected'), ...agent, worker: z.string() }),
  /** The last of its workers has gone, or has not been heard of for too long. */
  'agent.disconnected': z.strictObject({
    type: z.literal('agent.disconnected'),
    ...agent,
    reason: z.string(),
  }),
  'agent.retired': z.strictObject({ type: z.literal('agent.retired'), ...agent, reason: z.string() }),

  /** Nobody is handed a task of this queue any more, whoever could take it. */
  'queue.paused': z.strictObject({
    type: z.literal('queue.paused'),
    ...queue,
    reason: z.string().optional(),
  }),
  'queue.resumed': z.strictObject({
    type: z.literal('queue.resumed'),
    ...queue,
    reason: z.string().optional(),
  }),

  'supervisor.started': z.strictObject({
    type: z.literal('supervisor.started'),
    /** The writer's own id: the prefix of all its event ids. */
    writer: z.string(),
    version: z.string(),
    host: z.string(),
    pid: z.int(),
  }),
  'supervisor.draining': z.strictObject({ type: z.literal('supervisor.draining'), reason: z.string() }),
  'supervisor.stopped': z.strictObject({ type: z.literal('supervisor.stopped'), reason: z.string() }),
  /** From here on checkpoints are signed with this key. */
  'supervisor.key_introduced': z.strictObject({
    type: z.literal('supervisor.key_introduced'),
    /** Fingerprint: SHA-256 (hex) of the 32 bytes of the public key. */
    key: z.string(),
    /** Ed25519, the 32 bytes in base64. */
    public_key: z.string(),
    /** The key before it and that key's signature; both absent where none vouches: for the first, or after a loss. */
    signed_by: z.string().optional(),
    signature: z.string().optional(),
  }),
  /** A signature over a part of the log: everything from one event to another, and through the chain all before. */
  'supervisor.checkpointed': z.strictObject({
    type: z.literal('supervisor.checkpointed'),
    /** The first and the last event that it covers. */
    from: z.int().min(1),
    sequence: z.int().min(1),
    /** SHA-256 (hex) of the bytes of the last event. */
    hash: z.string(),
    /** SHA-256 (hex) over the hashes of all events that it covers, each in hex and followed by a line feed. */
    digest: z.string(),
    key: z.string(),
    /** Ed25519, in base64. */
    signature: z.string(),
  }),
} as const;

export type EventType = keyof typeof eventSchemas;
export type EventOf<T extends EventType> = z.infer<(typeof eventSchemas)[T]>;
export type DomainEvent = { [T in EventType]: EventOf<T> }[EventType];

export const EVENT_TYPES = Object.keys(eventSchemas) as EventType[];

export const ENTITY_KINDS = ['task', 'attempt', 'agent', 'queue', 'supervisor'] as const;
export type EntityKind = (typeof ENTITY_KINDS)[number];

/** What an event did to one entity. An entity's versions are 1, 2, 3 … without a gap. */
export interface Transition {
  readonly entity: EntityKind;
  readonly id: string;
  readonly version: number;
  /** null where the event is the entity's first. */
  readonly from: string | null;
  readonly to: string;
  /** Name and version of the machine that made it, e.g. `task@1`. */
  readonly machine: string;
}

/** An event with all that the log says of it. */
export interface EventRecord {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly time: number;
  /** Who caused it: `supervisor`, `agent:<id>`, `user:<name>`. */
  readonly actor: string;
  /** What this one follows from: the id of an event, or `message:<agent>/<id>` for a message of an agent. */
  readonly cause: string | undefined;
  /** SHA-256 (hex) of the bytes of the event before this one in the log. */
  readonly previousHash: string;
  readonly event: DomainEvent;
  readonly transitions: readonly Transition[];
}

/** A record with its place in the log. */
export interface StoredRecord extends EventRecord {
  readonly sequence: number;
}
