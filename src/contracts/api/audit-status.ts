/** How much of the log is verified and signed. */
import { z } from 'zod';
import { count, time } from '../fields.ts';

/** A verification of the whole log, running or over. */
export const verificationSchema = z.strictObject({
  state: z.enum(['running', 'passed', 'failed']),
  /** Who started it. */
  by: z.string(),
  started_at: time,
  ended_at: time.nullable(),
  /** The last event that was checked, and the last event when it began. */
  checked: count,
  total: count,
  /** The first error, or null; `sequence` is null if the error is not about one event. */
  finding: z.strictObject({ sequence: z.int().min(1).nullable(), message: z.string() }).nullable(),
});
export type VerificationAnswer = z.output<typeof verificationSchema>;

/** What is known of damage to the log: what Signalbox checks by itself, all the time. */
export const integritySchema = z.strictObject({
  /** `verifying` until the whole log was verified once; nothing is written to a `damaged` log. */
  state: z.enum(['verifying', 'verified', 'damaged']),
  /** What is wrong; `sequence` is the first event that is, as far as it is known. */
  finding: z.strictObject({ sequence: z.int().min(1).nullable(), message: z.string() }).nullable(),
  /** When the number of events was compared last. */
  counted_at: time.nullable(),
  /** The last event that the present verification has come to, and the last event of the log. */
  verified: count,
  total: count,
  /** When the whole log was verified last. */
  passed_at: time.nullable(),
});
export type IntegrityAnswer = z.output<typeof integritySchema>;

export const auditStatusSchema = z.strictObject({
  /** The last event of the log, and the SHA-256 (hex) of its bytes, which fixes everything before it. */
  sequence: count,
  head_sha256: z.string(),
  /** Number of keys that were introduced since the log began. */
  keys: count,
  /** The newest: the last event that it covers, when it was written, and the fingerprint of its key. */
  checkpoint: z.strictObject({ sequence: z.int().min(1), time, key: z.string() }).nullable(),
  /** Events after the last checkpoint: only the hash chain protects them. */
  unsigned_events: count,
  /** What Signalbox checks by itself. */
  integrity: integritySchema,
  /** The newest verification on request since the start of this Signalbox; null if there was none. */
  verification: verificationSchema.nullable(),
});
export type AuditStatusAnswer = z.output<typeof auditStatusSchema>;
