/** Reads and verifies the log or a bundle. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { sha256 } from '../../base/hash.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { fingerprintOf, fingerprintOfPem, rawPublicKey } from '../../features/audit/keys.ts';
import type { AuditFinding } from '../../features/audit/log-items.ts';
import { type Anchor, anchorsIn, liveItems } from '../../features/audit/log-items.ts';
import { verifyBundle } from '../../features/audit/read-bundle.ts';
import { LogVerifier, type Verification } from '../../features/audit/verifier.ts';
import { openReader } from '../open-log.ts';
import { type LogOptions, type TrustOptions, unreadable } from '../options.ts';
import type { Progress } from '../text/progress.ts';

export interface Reading {
  readonly onFinding: (finding: AuditFinding) => void;
  /** Called with every readable event; `hash` is its link in the chain. */
  readonly onRecord?: (record: StoredRecord, hash: () => string) => void;
  readonly progress: Progress;
}

export interface Read {
  readonly verification: Verification;
  /** What was read, for messages. */
  readonly source: string;
}

/** @throws SignalboxError if nothing can be read */
export async function readAndVerify(options: TrustOptions, reading: Reading): Promise<Read> {
  const trusted = new Set(await Promise.all((options.key ?? []).map(fingerprintIn)));
  return options.bundle === undefined
    ? verifyLog(options, trusted, reading)
    : verifyFile(options.bundle, options, trusted, reading);
}

async function verifyLog(
  options: LogOptions,
  trusted: ReadonlySet<string>,
  { onFinding, onRecord, progress }: Reading,
): Promise<Read> {
  await using log = await openReader(options);
  // Read before the tip of the log: the anchors move on meanwhile.
  const recorded = await anchorsIn(log.dataDirectory);
  const { sequence: end } = await log.reader.tip();
  const anchors = end === 0 ? recorded : [...recorded, { what: 'the NATS server', sequence: end }];
  const verifier = new LogVerifier({ first: 1, trusted, anchors, onFinding });
  for await (const item of liveItems(log.reader)) {
    for (const record of verifier.take(item)) {
      if (item.kind === 'message') onRecord?.(record, () => item.originalHash ?? sha256(item.bytes));
    }
    progress.update(item.sequence, end);
  }
  return { verification: verifier.finish(true), source: log.where };
}

async function verifyFile(
  file: string,
  { dataDir }: LogOptions,
  trusted: ReadonlySet<string>,
  { onFinding, onRecord, progress }: Reading,
): Promise<Read> {
  const anchors: readonly Anchor[] = dataDir === undefined ? [] : await anchorsIn(dataDir);
  let done = 0;
  try {
    const verification = await verifyBundle(createReadStream(file), {
      trusted,
      anchors,
      onFinding,
      onRecord: (record, hash) => {
        onRecord?.(record, () => hash);
        progress.update(++done, 0);
      },
    });
    return { verification, source: file };
  } catch (cause) {
    if (cause instanceof SignalboxError) throw cause;
    throw unreadable('the bundle', file, cause);
  }
}

/** A fingerprint, or that of the key in a file: PEM, or the 32 bytes in base64. @throws SignalboxError `invalid_request` */
async function fingerprintIn(text: string): Promise<string> {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  const content = await readFile(text, 'utf8').catch((cause: unknown) => {
    throw new SignalboxError(
      'invalid_request',
      `--key ${text} is neither a fingerprint nor a readable file: ${messageOf(cause)}`,
      { cause },
    );
  });
  const raw = rawPublicKey(content.trim());
  const fingerprint = raw
    ? fingerprintOf(raw)
    : content.includes('PRIVATE KEY')
      ? null
      : fingerprintOfPem(content);
  if (fingerprint !== null) return fingerprint;
  throw new SignalboxError(
    'invalid_request',
    `--key ${text} contains no public Ed25519 key: expected PEM or base64, as "signalbox audit keys export" writes them`,
  );
}
