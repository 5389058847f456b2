/** The lines of a bundle. docs/reference/audit.md describes them for whoever reads one without this program. */
import { z } from 'zod';

export const BUNDLE_FORMAT = 'signalbox-audit-bundle';
export const BUNDLE_VERSION = 1;

const sequence = z.int().min(1);
const hash = z.string().regex(/^[0-9a-f]{64}$/);

const keySchema = z.strictObject({
  sequence,
  key: hash,
  public_key: z.string(),
  signed_by: hash.optional(),
  signature: z.string().optional(),
});

export const filterSchema = z.strictObject({
  project: z.string().optional(),
  task: z.string().optional(),
  /** The first and the last event that were asked for. */
  from: sequence,
  to: z.int().min(0),
});
export type BundleFilter = z.infer<typeof filterSchema>;

const headerSchema = z.strictObject({
  line: z.literal('header'),
  format: z.literal(BUNDLE_FORMAT),
  version: z.literal(BUNDLE_VERSION),
  signalbox: z.string(),
  created: z.string(),
  filter: filterSchema,
  /** Sequence of the first line after this one. */
  first: sequence,
  /** Keys that were introduced before it. */
  keys: z.array(keySchema),
});
export type BundleHeader = z.infer<typeof headerSchema>;

/** `event` is the text exactly as it is stored, `sha256` the hash of its bytes. */
const eventSchema = z.strictObject({ line: z.literal('event'), sequence, sha256: hash, event: z.string() });
/** `event` is what stands for the erased text, `sha256` the hash of the erased one. */
const redactedSchema = eventSchema.extend({ line: z.literal('redacted') });
const omittedSchema = z.strictObject({ line: z.literal('omitted'), sequence, sha256: hash });

const count = z.int().min(0);
const manifestSchema = z.strictObject({
  line: z.literal('manifest'),
  first: sequence,
  last: z.int().min(0),
  first_sha256: hash.nullable(),
  last_sha256: hash.nullable(),
  events: count,
  redacted: count,
  omitted: count,
  /** Whether the log ended with the last event when the bundle was made. */
  is_end: z.boolean(),
  /** Public keys in base64 by fingerprint: all that this bundle needs. */
  keys: z.record(hash, z.string()),
  /** Sequences of the checkpoints in it. */
  checkpoints: z.array(sequence),
});
export type BundleManifest = z.infer<typeof manifestSchema>;

const endSchema = z.strictObject({ line: z.literal('end'), sha256: hash });

export const lineSchema = z.discriminatedUnion('line', [
  headerSchema,
  eventSchema,
  redactedSchema,
  omittedSchema,
  manifestSchema,
  endSchema,
]);
export type BundleLine = z.infer<typeof lineSchema>;
