/** What is proved of the log at the moment. */
import { z } from 'zod';

const time = z.iso.datetime();
const count = z.int().min(0);

/** One verification of the whole log, under way or over. */
export const verificationSchema = z.strictObject({
  state: z.enum(['running', 'passed', 'failed']),
  /** Who asked for it. */
  by: z.string(),
  started_at: time,
  ended_at: time.nullable(),
  /** The event up to which it has come, and the one that was the last when it began. */
  checked: count,
  total: count,
  /** The first thing that is wrong; `sequence` is null where it is said of the whole. null where nothing is. */
  finding: z.strictObject({ sequence: z.int().min(1).nullable(), message: z.string() }).nullable(),
});
export type VerificationAnswer = z.output<typeof verificationSchema>;

export const auditStatusSchema = z.strictObject({
  /** The last event of the log, and the SHA-256 (hex) of its bytes: with it all that came before is fixed. */
  sequence: count,
  head_sha256: z.string(),
  /** Keys that were introduced since the log began. */
  keys: count,
  /** The newest: the last event that it covers, when it was written, and the fingerprint of its key. */
  checkpoint: z.strictObject({ sequence: z.int().min(1), time, key: z.string() }).nullable(),
  /** Events after the last one that a checkpoint covers: held by the hash chain alone. */
  unsigned_events: count,
  /** The newest verification of this Signalbox; null where nobody has asked for one since its start. */
  verification: verificationSchema.nullable(),
});
export type AuditStatusAnswer = z.output<typeof auditStatusSchema>;
