/**
 * Events in a file: one a line, exactly as stored in the log (a CloudEvent), the first event of the log first, as
 * `signalbox events tail --from 1 --no-follow --stored` writes it. The line of an erased event is its skeleton, which a
 * redaction in a later line confirms.
 */
import { open, stat } from 'node:fs/promises';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { eventSubject, subjectPartsOfAll } from '../../contracts/messages/subjects.ts';
import { decodeMessage, eventsOf } from '../../journal/codec/cloud-event.ts';
import type { StoredMessage } from '../../journal/journal.ts';
import type { Redaction } from '../../journal/redactions.ts';
import { type EventSelection, type EventSource, isSelected } from './event-source.ts';

/** Reading throws SignalboxError `content_unreadable` if there is no such file, `log_corrupt` for lines that are no event. */
export function fileSource(path: string): EventSource {
  const name = `the file ${path}`;
  async function* read(selection: EventSelection = {}): AsyncIterable<StoredMessage> {
    const { to = Number.POSITIVE_INFINITY } = selection;
    for await (const message of messagesIn(path, name)) {
      if (message.sequence > to) return;
      if (isSelected(message, selection)) yield message;
    }
  }
  return {
    name,
    read,
    lastSequence: async () => {
      let last = 0;
      for await (const _ of linesOf(path)) last++;
      return last;
    },
  };
}

export function lineOf({ bytes }: StoredMessage): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}

async function* messagesIn(path: string, name: string): AsyncIterable<StoredMessage> {
  const redactions = await redactionsIn(path, name);
  let sequence = 0;
  for await (const bytes of linesOf(path)) {
    sequence++;
    const text = bytes.toString();
    const records = decodeMessage(text, `line ${sequence} of ${name}`);
    const redaction = redactions.get(sequence);
    const isTombstone = redaction !== undefined && text === JSON.stringify(redaction.skeleton);
    const originalHash = isTombstone ? { originalHash: redaction.sha256 } : {};
    yield {
      sequence,
      id: records[0].id,
      subject: eventSubject(subjectPartsOfAll(eventsOf(records))),
      bytes,
      ...originalHash,
    };
  }
}

/** Redactions come after the events that they erase, so the file is read twice; a pipe cannot be. */
async function redactionsIn(path: string, name: string): Promise<ReadonlyMap<number, Redaction>> {
  const found = new Map<number, Redaction>();
  if (!(await isRegular(path))) return found;
  let by = 0;
  for await (const bytes of linesOf(path)) {
    by++;
    if (!bytes.includes('task.redacted')) continue;
    for (const event of eventsOf(decodeMessage(bytes.toString(), `line ${by} of ${name}`))) {
      if (event.type === 'task.redacted') found.set(event.sequence, { ...event, by });
    }
  }
  return found;
}

async function isRegular(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}

const NEWLINE = 0x0a;

/** Lines end only with a newline: JSON texts may contain other line separators. */
async function* linesOf(path: string): AsyncIterable<Buffer> {
  const file = await open(path).catch((cause: unknown) => {
    throw new SignalboxError('content_unreadable', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  });
  let rest: Buffer[] = [];
  for await (const chunk of file.createReadStream() as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const line = Buffer.concat([...rest, chunk.subarray(start, end)]);
      if (line.length > 0) yield line;
      rest = [];
      start = end + 1;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
  }
  const last = Buffer.concat(rest);
  if (last.length > 0) yield last;
}
