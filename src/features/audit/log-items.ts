/** What an audit reads (a log or a bundle), what it compares that with, and what it reports. */
import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../../base/files.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { REDACTION_FILTER } from '../../contracts/messages/subjects.ts';
import { readRecords } from '../../journal/codec/cloud-event.ts';
import type { LogReader } from '../../journal/journal.ts';
import { type Redaction, tombstoneFor } from '../../journal/redactions.ts';
import { lastCheckpointFile } from './key-file.ts';

export type LogItem =
  | {
      readonly kind: 'message';
      readonly sequence: number;
      readonly bytes: Uint8Array;
      /** Hash of the stored message, if the bytes are a tombstone for it. */
      readonly originalHash?: string | undefined;
      /** The message id, if it is known apart from the bytes. */
      readonly id?: string;
      readonly subject?: string;
    }
  /** An event that a bundle omits: only its hash is known. */
  | { readonly kind: 'omitted'; readonly sequence: number; readonly hash: string };

/** A difference from what Signalbox has written. */
export interface AuditFinding {
  /** null if it concerns the whole log or bundle. */
  readonly sequence: number | null;
  readonly kind: FindingKind;
  readonly message: string;
}

/** Stable names, for programs. */
export const FINDING_KINDS = {
  gap: 'An event is missing, and no redaction names it.',
  order: 'An event is not at the position of its sequence number.',
  unreadable: 'A stored message is not an event.',
  content: 'The bytes do not match the given hash.',
  chain: 'An event does not continue the event before it.',
  identity: 'The event ids do not continue the count of their writer.',
  subject: 'An event is stored under a subject that does not match its content.',
  version: 'A transition does not continue the one before it.',
  key: 'A signing key does not match its fingerprint, or no trusted key vouches for it.',
  checkpoint: 'A checkpoint does not match the log, or its signature is not valid.',
  redaction: 'A redaction does not match its tombstone, or the content is still there.',
  truncated: 'The log ends before an event that is known to have been in it.',
  other_log: 'The log is not the one that is known.',
  bundle: 'The file is not a complete bundle.',
} as const;
export type FindingKind = keyof typeof FINDING_KINDS;

/** What is known about an event of the log from another source. */
export interface Anchor {
  /** Names the source in messages. */
  readonly what: string;
  readonly sequence: number;
  /** Id and hash of the event, as far as they are known. */
  readonly id?: string | undefined;
  readonly hash?: string | undefined;
}

const anchorSchema = z.object({
  sequence: z.int().min(1),
  id: z.string().optional(),
  hash: z.string().optional(),
});

/** The high-water mark and the newest checkpoint, if the data directory has them. @throws SignalboxError `invalid_request` */
export async function anchorsIn(dataDirectory: string): Promise<readonly Anchor[]> {
  const mark = await readAnchor('the high-water mark', join(dataDirectory, 'high-water-mark.json'));
  const file = lastCheckpointFile(join(dataDirectory, 'audit'));
  return [...mark, ...(await readAnchor('the newest checkpoint', file))];
}

async function readAnchor(name: string, file: string): Promise<readonly Anchor[]> {
  const noted = await readJson(file, anchorSchema).catch((cause: unknown) => {
    throw new SignalboxError('invalid_request', `cannot read ${file}: ${messageOf(cause)}`, { cause });
  });
  return noted === null ? [] : [{ ...noted, what: `${name} (${file})` }];
}

type LiveReader = Pick<LogReader, 'readPresent' | 'readByFilter'>;

/**
 * The items of a log from the first event to the present end. A missing event is an item only if a redaction names it.
 * @throws SignalboxError `nats_unavailable`
 */
export async function* liveItems(reader: LiveReader): AsyncIterable<LogItem> {
  const redactions = await readableRedactions(reader);
  let expected = 1;
  for await (const message of reader.readPresent({ from: 1 })) {
    for (; expected < message.sequence; expected++) {
      const tombstone = tombstoneItem(redactions.get(expected));
      if (tombstone) yield tombstone;
    }
    const { sequence, id, subject, bytes } = message;
    yield { kind: 'message', sequence, id, subject, bytes };
    expected = sequence + 1;
  }
}

/** Skips unreadable messages: the audit finds them at their own sequence. */
async function readableRedactions(reader: LiveReader): Promise<ReadonlyMap<number, Redaction>> {
  const found = new Map<number, Redaction>();
  for await (const message of reader.readByFilter(REDACTION_FILTER)) {
    try {
      for (const { event, sequence } of readRecords(message))
        if (event.type === 'task.redacted') found.set(event.sequence, { ...event, by: sequence });
    } catch {}
  }
  return found;
}

function tombstoneItem(redaction: Redaction | undefined): LogItem | null {
  if (!redaction) return null;
  try {
    const { sequence, bytes, originalHash } = tombstoneFor(redaction);
    return { kind: 'message', sequence, bytes, originalHash };
  } catch {
    return null;
  }
}
