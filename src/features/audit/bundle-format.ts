/** The lines of a bundle, and reading them. docs/reference/audit.md describes them for other programs. */
import { z } from 'zod';
import { readExactJson } from '../../base/exact-json.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { DomainEvent } from '../../contracts/events/events.ts';

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

const filterSchema = z.strictObject({
  project: z.string().optional(),
  task: z.string().optional(),
  /** First and last requested event. */
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
  /** Sequence of the next line. */
  first: sequence,
  /** Keys that were introduced before that line. */
  keys: z.array(keySchema),
});
export type BundleHeader = z.infer<typeof headerSchema>;

/** `event` is the exact stored text, `sha256` the hash of its bytes. */
const eventSchema = z.strictObject({ line: z.literal('event'), sequence, sha256: hash, event: z.string() });
/** `event` is the tombstone, `sha256` the hash of the erased text. */
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
  /** Whether the last event was the last of the log when the bundle was written. */
  is_end: z.boolean(),
  /** All public keys in base64, by fingerprint. */
  keys: z.record(hash, z.string()),
  /** Sequences of the checkpoints. */
  checkpoints: z.array(sequence),
});
export type BundleManifest = z.infer<typeof manifestSchema>;

const endSchema = z.strictObject({ line: z.literal('end'), sha256: hash });

const lineSchema = z.discriminatedUnion('line', [
  headerSchema,
  eventSchema,
  redactedSchema,
  omittedSchema,
  manifestSchema,
  endSchema,
]);
export type BundleLine = z.infer<typeof lineSchema>;
/** A line with an event, or with the hash of an omitted one. */
export type ItemLine = Extract<BundleLine, { sequence: number }>;

/** Collects what the manifest says about the lines of a bundle. */
export class BundleContents {
  readonly manifest: Omit<BundleManifest, 'line' | 'is_end'>;

  constructor({ first, keys }: Pick<BundleHeader, 'first' | 'keys'>) {
    this.manifest = {
      first,
      last: first - 1,
      first_sha256: null,
      last_sha256: null,
      events: 0,
      redacted: 0,
      omitted: 0,
      keys: Object.fromEntries(keys.map(({ key, public_key }) => [key, public_key])),
      checkpoints: [],
    };
  }

  /** @param events in the line; none if it is omitted or not readable */
  add({ line, sequence, sha256 }: ItemLine, events: readonly DomainEvent[]): void {
    const { manifest } = this;
    manifest.last = sequence;
    manifest.first_sha256 ??= sha256;
    manifest.last_sha256 = sha256;
    manifest[line === 'event' ? 'events' : line]++;
    for (const event of events) {
      if (event.type === 'supervisor.checkpointed') manifest.checkpoints.push(sequence);
      if (event.type === 'supervisor.key_introduced') manifest.keys[event.key] = event.public_key;
    }
  }
}

/** null if it is not a line of a bundle. */
export function parseLine(bytes: Uint8Array): BundleLine | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const read = readExactJson(text);
    return read.ok ? (lineSchema.safeParse(read.value).data ?? null) : null;
  } catch {
    return null;
  }
}

/** @param bytes the first line. @throws SignalboxError `invalid_request` */
export function parseHeader(bytes: Buffer): BundleHeader {
  const line = parseLine(bytes);
  if (line?.line !== 'header') throw notBundle('its first line is not a header');
  return line;
}

export function notBundle(why: string): SignalboxError {
  return new SignalboxError(
    'invalid_request',
    `the file is not a bundle of "signalbox audit export": ${why}`,
  );
}

const LINE_FEED = 0x0a;

export interface RawLine {
  /** Without the line feed. A carriage return is content. */
  readonly bytes: Buffer;
  /** Whether a line feed ends it. */
  readonly isComplete: boolean;
}

/** Splits bytes into lines. */
export async function* bundleLinesOf(chunks: AsyncIterable<Uint8Array>): AsyncIterable<RawLine> {
  let parts: Buffer[] = [];
  for await (const chunk of chunks) {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = rest.indexOf(LINE_FEED); at >= 0; at = rest.indexOf(LINE_FEED)) {
      yield { bytes: Buffer.concat([...parts, rest.subarray(0, at)]), isComplete: true };
      parts = [];
      rest = rest.subarray(at + 1);
    }
    if (rest.length > 0) parts.push(rest);
  }
  if (parts.length > 0) yield { bytes: Buffer.concat(parts), isComplete: false };
}
