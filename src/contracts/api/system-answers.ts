/** Answers about the system itself: logs, state, health, problems and keys. Times are RFC 3339 in UTC. */
import { z } from 'zod';
import { count, time } from '../fields.ts';
import { CONTAINMENTS } from '../processes/containment.ts';
import { integritySchema } from './audit-status.ts';
import { budgetNoticeSchema } from './usage/budgets.ts';

/** Headers of a part of a log, which is plain text: its offset, the offset of the next part, and whether it is the last. */
export const LOG_HEADERS = {
  offset: 'signalbox-offset',
  nextOffset: 'signalbox-next-offset',
  complete: 'signalbox-complete',
} as const;

/** A part of the state: for each entry a hash of its canonical JSON. */
export const stateAnswerSchema = z.strictObject({
  /** The event after which the state was this. */
  sequence: count,
  /** The id of the writer of the log. */
  writer: z.string(),
  entries: z.array(
    z.strictObject({
      /** `task`, `attempts` (those of a task), `agent`, `counts`, `throughput`, `usage`. */
      part: z.string(),
      /** `project/task`, or the id of an agent. */
      key: z.string(),
      sha256: z.string(),
    }),
  ),
  /** Number of tasks that have left memory since the log began. */
  forgotten: count,
  /** Pass as `after` for the next page; null at the end. */
  next: z.int().nullable(),
});
export type StateAnswer = z.output<typeof stateAnswerSchema>;

/** Who gets in. */
export const accessReportSchema = z.strictObject({
  /** `open`: no token is needed on this machine. `tokens`: every caller needs one. `locked`: there is none any more. */
  state: z.enum(['open', 'tokens', 'locked']),
  /** What is wrong, and what to do; null if nothing is. */
  warning: z.string().nullable(),
});
export type AccessReport = z.output<typeof accessReportSchema>;

export const healthReportSchema = z.strictObject({
  /** Whether new work is taken now. */
  ready: z.boolean(),
  /** Why it is not ready; null if it is. */
  reason: z.string().nullable(),
  version: z.string(),
  pid: z.int(),
  uptime_seconds: count,
  log: z.strictObject({
    state: z.enum(['reader', 'open', 'resyncing', 'fenced']),
    /** The last event that is stored and visible. */
    sequence: count,
    /** Events that were decided and are not stored yet. */
    backlog: count,
    /** How durable an acknowledged event is, as a sentence. */
    durability: z.string(),
    /** Whether it is complete and unchanged, as far as it was verified. */
    integrity: integritySchema,
  }),
  nats: z.strictObject({
    /** Without credentials. */
    url: z.string(),
    version: z.string(),
    /** Whether Signalbox runs the server itself. */
    embedded: z.boolean(),
    pid: z.int().nullable(),
    /** How often the embedded server was restarted after it died. */
    restarts: count,
    /** Requests without an answer, because their reply subject is not an inbox; since the start of Signalbox. */
    refused_requests: count,
  }),
  access: accessReportSchema,
  /** How processes that agents leave behind are kept in reach. `search` cannot prove that none is left. */
  containment: z.enum(CONTAINMENTS),
  /** Those that have warned, or are used up; "signalbox budget ls" says how much. */
  budgets: z.array(budgetNoticeSchema.omit({ detail: true, since: true })),
  unfinished_tasks: count,
  open_attempts: count,
});
export type HealthReport = z.output<typeof healthReportSchema>;

/** One error in a request. `path` is as in `backoff.factor`; empty for the whole request. */
export const fieldErrorSchema = z.object({ path: z.string(), message: z.string() });
export type FieldError = z.output<typeof fieldErrorSchema>;

/** RFC 9457. Match on `code`; an unknown code may come from a newer version. */
export const problemSchema = z.object({
  /** `urn:signalbox:error:<code>` */
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  instance: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
  /** If the code is `invalid_request`: every error, with its path. */
  errors: z.array(fieldErrorSchema).optional(),
});
export type Problem = z.output<typeof problemSchema>;

/** A key that signs or signed checkpoints. */
export const auditKeySchema = z.strictObject({
  /** Its fingerprint: SHA-256 (hex) of the 32 bytes of the public key. */
  key: z.string(),
  /** The 32 bytes in base64. */
  public_key: z.string(),
  /** The key that vouches for it; null for the first key, and if none vouches for it. */
  signed_by: z.string().nullable(),
  /** Sequence of the event that introduced it. */
  sequence: z.int().min(1),
  time,
  actor: z.string(),
});
export type AuditKeyAnswer = z.output<typeof auditKeySchema>;
