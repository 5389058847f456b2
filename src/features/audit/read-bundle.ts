/**
 * Reading and verifying a bundle in one pass.
 *
 * N1 No byte of a bundle is without a meaning: the last line has the hash of all that comes before it, and is itself
 *    exactly the text that it must be.
 * N2 That hash only finds damage, since who changes a bundle can make it anew. What a bundle proves, it proves by the
 *    hashes in its events and the signatures over them.
 */
import { createHash } from 'node:crypto';
import { sha256 } from '../../base/hash.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import type { Anchor } from './anchors.ts';
import { type BundleHeader, type BundleLine, type BundleManifest, lineSchema } from './bundle-format.ts';
import { linesOf } from './bundle-lines.ts';
import type { Finding, LogItem } from './log-item.ts';
import { LogVerifier, type Verification } from './verifier.ts';

export interface BundleReading {
  readonly trusted: ReadonlySet<string>;
  readonly anchors?: readonly Anchor[];
  readonly onFinding: (finding: Finding) => void;
  /** Told of every event that can be read, with its hash. */
  readonly onRecord?: (record: StoredRecord, hash: string) => void;
}

/**
 * @returns what was found to be there; the findings say what is wrong with it
 * @throws SignalboxError `invalid_request` where the file does not begin as a bundle
 */
export async function verifyBundle(
  chunks: AsyncIterable<Uint8Array>,
  reading: BundleReading,
): Promise<Verification> {
  const digest = createHash('sha256');
  let bundle: Bundle | null = null;
  for await (const { bytes, isComplete } of linesOf(chunks)) {
    if (bundle === null) bundle = new Bundle(headerOf(bytes), reading);
    else bundle.take(bytes, isComplete, () => digest.copy().digest('hex'));
    digest.update(bytes).update('\n');
  }
  if (bundle === null) throw notBundle('it is empty');
  return bundle.finish();
}

/** @throws SignalboxError `invalid_request` */
export function headerOf(bytes: Buffer): BundleHeader {
  const line = parseLine(bytes);
  if (line?.line !== 'header') throw notBundle('its first line is not the header of one');
  return line;
}

function notBundle(why: string): SignalboxError {
  return new SignalboxError(
    'invalid_request',
    `the file is not a bundle of "signalbox audit export": ${why}`,
  );
}

/** null for a line that is none of a bundle's. */
export function parseLine(bytes: Uint8Array): BundleLine | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return lineSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

class Bundle {
  readonly #header: BundleHeader;
  readonly #reading: BundleReading;
  readonly #verifier: LogVerifier;
  #lines = 1;
  #firstHash: string | null = null;
  #manifest: BundleManifest | null = null;
  #isEnded = false;
  #findings = 0;
  readonly #checkpoints: number[] = [];
  readonly #keys: Record<string, string> = {};

  constructor(header: BundleHeader, reading: BundleReading) {
    this.#header = header;
    this.#reading = reading;
    const { trusted, anchors, onFinding } = reading;
    for (const { key, public_key } of header.keys) this.#keys[key] = public_key;
    this.#verifier = new LogVerifier({
      first: header.first,
      trusted,
      earlierKeys: header.keys,
      ...(anchors && { anchors }),
      onFinding,
    });
  }

  /** @param digestSoFar hash of all the bytes before this line */
  take(bytes: Buffer, isComplete: boolean, digestSoFar: () => string): void {
    this.#lines++;
    if (this.#isEnded) return this.#say('something follows after its end');
    const line = parseLine(bytes);
    if (line === null) return this.#say('the line is none of a bundle');
    if (this.#manifest && line.line !== 'end') return this.#say('something follows after the manifest');
    switch (line.line) {
      case 'event':
      case 'redacted':
      case 'omitted':
        return this.#takeItem(line);
      case 'manifest':
        this.#manifest = line;
        return;
      case 'end': {
        this.#isEnded = true;
        const expected = `{"line":"end","sha256":"${digestSoFar()}"}`;
        if (bytes.toString() !== expected || !isComplete)
          this.#say('it was changed after it was made: the hash over all lines is another');
        return;
      }
      case 'header':
        return this.#say('a second header');
    }
  }

  finish(): Verification {
    const isEnd = this.#manifest?.is_end ?? false;
    const verification = this.#verifier.finish(isEnd);
    if (!this.#isEnded) this.#say('its end is missing: it was cut off, or is still being written');
    if (this.#manifest) this.#compare(this.#manifest, verification);
    return { ...verification, findings: verification.findings + this.#findings };
  }

  #takeItem(line: Extract<BundleLine, { sequence: number }>): void {
    const { sequence } = line;
    this.#firstHash ??= line.sha256;
    const record = this.#verifier.take(this.#itemOf(line));
    if (!record) return;
    const { event } = record;
    if (event.type === 'supervisor.checkpointed') this.#checkpoints.push(sequence);
    if (event.type === 'supervisor.key_introduced') this.#keys[event.key] = event.public_key;
    this.#reading.onRecord?.(record, line.sha256);
  }

  #itemOf(line: Extract<BundleLine, { sequence: number }>): LogItem {
    const { sequence } = line;
    if (line.line === 'omitted') return { kind: 'omitted', sequence, hash: line.sha256 };
    const bytes = Buffer.from(line.event);
    if (line.line === 'redacted') return { kind: 'message', sequence, bytes, originalHash: line.sha256 };
    const hash = sha256(bytes);
    if (hash !== line.sha256) {
      this.#report({
        sequence,
        kind: 'content',
        message: `the text of event ${sequence} has the hash ${hash}, not ${line.sha256}`,
      });
    }
    return { kind: 'message', sequence, bytes };
  }

  #compare(manifest: BundleManifest, found: Verification): void {
    const { line, is_end, ...said } = manifest;
    const expected = {
      first: this.#header.first,
      last: found.last,
      first_sha256: this.#firstHash,
      last_sha256: this.#firstHash === null ? null : found.last_hash,
      events: found.events,
      redacted: found.redacted,
      omitted: found.omitted,
      keys: this.#keys,
      checkpoints: this.#checkpoints,
    };
    for (const [name, value] of Object.entries(expected)) {
      const given = JSON.stringify(said[name as keyof typeof said]);
      if (given !== JSON.stringify(value)) {
        this.#say(`its manifest says ${name} ${given}, its lines say ${JSON.stringify(value)}`);
      }
    }
  }

  #say(what: string): void {
    this.#report({ sequence: null, kind: 'bundle', message: `line ${this.#lines}: ${what}` });
  }

  #report(finding: Finding): void {
    this.#findings++;
    this.#reading.onFinding(finding);
  }
}
