/**
 * Reads and verifies a bundle in one pass. The last line has the hash of all earlier bytes, which only detects damage:
 * anyone who changes a bundle can compute it again. The proof is in the hashes within the events, and in the signatures.
 */
import { createHash } from 'node:crypto';
import { sha256 } from '../../base/hash.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import {
  BundleContents,
  type BundleHeader,
  type BundleManifest,
  bundleLinesOf,
  type ItemLine,
  notBundle,
  parseHeader,
  parseLine,
} from './bundle-format.ts';
import type { Anchor, AuditFinding, LogItem } from './log-items.ts';
import { LogVerifier, type Verification } from './verifier.ts';

export interface BundleReading {
  readonly trusted: ReadonlySet<string>;
  readonly anchors?: readonly Anchor[];
  readonly onFinding: (finding: AuditFinding) => void;
  /** Called with every readable event and its hash. */
  readonly onRecord?: (record: StoredRecord, hash: string) => void;
}

/** @throws SignalboxError `invalid_request` if the file does not begin like a bundle */
export async function verifyBundle(
  chunks: AsyncIterable<Uint8Array>,
  reading: BundleReading,
): Promise<Verification> {
  const digest = createHash('sha256');
  let bundle: Bundle | null = null;
  for await (const { bytes, isComplete } of bundleLinesOf(chunks)) {
    if (bundle === null) bundle = new Bundle(parseHeader(bytes), reading);
    else bundle.take(bytes, isComplete, () => digest.copy().digest('hex'));
    digest.update(bytes).update('\n');
  }
  if (bundle === null) throw notBundle('it is empty');
  return bundle.finish();
}

class Bundle {
  readonly #reading: BundleReading;
  readonly #verifier: LogVerifier;
  #lines = 1;
  #manifest: BundleManifest | null = null;
  #isEnded = false;
  #findings = 0;
  readonly #contents: BundleContents;

  constructor(header: BundleHeader, reading: BundleReading) {
    this.#reading = reading;
    const { trusted, anchors, onFinding } = reading;
    this.#contents = new BundleContents(header);
    this.#verifier = new LogVerifier({
      first: header.first,
      trusted,
      earlierKeys: header.keys,
      ...(anchors && { anchors }),
      onFinding,
    });
  }

  /** @param digestSoFar returns the hash of all earlier bytes */
  take(bytes: Buffer, isComplete: boolean, digestSoFar: () => string): void {
    this.#lines++;
    if (this.#isEnded) return this.#reportLine('there is text after the end');
    const line = parseLine(bytes);
    if (line === null) return this.#reportLine('this is not a line of a bundle');
    if (this.#manifest && line.line !== 'end') return this.#reportLine('there is a line after the manifest');
    switch (line.line) {
      case 'manifest':
        this.#manifest = line;
        return;
      case 'end': {
        this.#isEnded = true;
        // The line must be exactly this text: no byte of a bundle is without meaning.
        if (isComplete && bytes.toString() === `{"line":"end","sha256":"${digestSoFar()}"}`) return;
        return this.#reportLine('the bundle was changed: the hash over all lines differs');
      }
      case 'header':
        return this.#reportLine('there is a second header');
      default:
        return this.#takeItem(line);
    }
  }

  finish(): Verification {
    const verification = this.#verifier.finish(this.#manifest?.is_end ?? false);
    if (!this.#isEnded)
      this.#reportLine('its end is missing: the file is truncated, or is still being written');
    if (this.#manifest) this.#compare(this.#manifest);
    return { ...verification, findings: verification.findings + this.#findings };
  }

  #takeItem(line: ItemLine): void {
    const records = this.#verifier.take(this.#itemOf(line));
    this.#contents.add(
      line,
      records.map(({ event }) => event),
    );
    for (const record of records) this.#reading.onRecord?.(record, line.sha256);
  }

  #itemOf(line: ItemLine): LogItem {
    const { sequence } = line;
    if (line.line === 'omitted') return { kind: 'omitted', sequence, hash: line.sha256 };
    const bytes = Buffer.from(line.event);
    if (line.line === 'redacted') return { kind: 'message', sequence, bytes, originalHash: line.sha256 };
    const hash = sha256(bytes);
    if (hash !== line.sha256) {
      const message = `the text of event ${sequence} has the hash ${hash}, not ${line.sha256}`;
      this.#report({ sequence, kind: 'content', message });
    }
    return { kind: 'message', sequence, bytes };
  }

  #compare({ line, is_end, ...given }: BundleManifest): void {
    const expected = this.#contents.manifest;
    for (const [name, value] of Object.entries(given)) {
      const inLines = JSON.stringify(expected[name as keyof typeof given]);
      if (inLines !== JSON.stringify(value)) {
        this.#reportLine(`${name} is ${JSON.stringify(value)} in the manifest, but ${inLines} in the lines`);
      }
    }
  }

  #reportLine(what: string): void {
    this.#report({ sequence: null, kind: 'bundle', message: `line ${this.#lines}: ${what}` });
  }

  #report(finding: AuditFinding): void {
    this.#findings++;
    this.#reading.onFinding(finding);
  }
}
