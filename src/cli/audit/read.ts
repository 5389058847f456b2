/** Verifying what a command reads, be it a bundle or the log. */
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
import type { LogOptions } from '../log/log-options.ts';
import { openReader } from '../log/open-log.ts';
import type { Progress } from '../text/progress.ts';
import type { TrustOptions } from './trust-options.ts';

export interface Reading {
  readonly onFinding: (finding: AuditFinding) => void;
  /** Told of every event that can be read; `hash` gives its link in the chain. */
  readonly onRecord?: (record: StoredRecord, hash: () => string) => void;
  readonly progress: Progress;
}

export interface Read {
  readonly verification: Verification;
  /** What was read, for messages. */
  readonly source: string;
}

/** @throws SignalboxError where it cannot be read at all */
export async function readAndVerify(options: TrustOptions, reading: Reading): Promise<Read> {
  const trusted = new Set(await Promise.all(options.key.map(fingerprintIn)));
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
  // Before the end is looked for: the marks move on while it is read.
  const noted = await anchorsIn(log.dataDirectory);
  const { sequence: end } = await log.reader.tip();
  const anchors = end === 0 ? noted : [...noted, { what: 'the NATS server', sequence: end }];
  const verifier = new LogVerifier({ first: 1, trusted, anchors, onFinding });
  for await (const item of liveItems(log.reader)) {
    const record = verifier.take(item);
    if (record && item.kind === 'message') onRecord?.(record, () => item.originalHash ?? sha256(item.bytes));
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
    throw new SignalboxError('invalid_request', `the bundle ${file} cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** A fingerprint, or that of the key in a file: PEM, or the 32 bytes in base64. @throws SignalboxError `invalid_request` */
async function fingerprintIn(text: string): Promise<string> {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  const content = await readFile(text, 'utf8').catch((cause: unknown) => {
    throw new SignalboxError(
      'invalid_request',
      `--key ${text} is no fingerprint, and no file: ${messageOf(cause)}`,
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
    `--key ${text} holds no public Ed25519 key: expected PEM or base64, as "signalbox audit keys export" writes them`,
  );
}
