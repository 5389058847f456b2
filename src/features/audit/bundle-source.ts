/**
 * The events of a bundle as a source for a replay. The hash chain holds them together here as everywhere; what vouches
 * for the chain, "audit verify" looks at.
 *
 * BS1 What the bundle leaves out is never passed over where it may have been asked for: that is an error, which says what
 *     the bundle does show.
 */
import { createReadStream } from 'node:fs';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { eventSubject, subjectPartsOf } from '../../contracts/messages/subjects.ts';
import { type EventSelection, type EventSource, isSelected } from '../../engine/replay/event-source.ts';
import { decodeRecord } from '../../journal/codec/cloud-event.ts';
import type { StoredMessage } from '../../journal/journal.ts';
import type { BundleFilter, BundleHeader, BundleLine } from './bundle-format.ts';
import { linesOf } from './bundle-lines.ts';
import { headerOf, parseLine } from './read-bundle.ts';

/** @throws SignalboxError when it is read: `content_unreadable`, `invalid_request` where it is no bundle, `not_found` (BS1) */
export function bundleSource(path: string): EventSource {
  const name = `the bundle ${path}`;
  return {
    name,
    read: (selection = {}) => readSelected(path, name, selection),
    lastSequence: async () => {
      let last = 0;
      for await (const line of bundleLines(path, name)) {
        if ('sequence' in line) last = line.sequence;
      }
      return last;
    },
  };
}

type ItemLine = Extract<BundleLine, { sequence: number }>;

async function* readSelected(
  path: string,
  name: string,
  selection: EventSelection,
): AsyncIterable<StoredMessage> {
  const { from = 1, to = Number.POSITIVE_INFINITY } = selection;
  let filter: BundleFilter | null = null;
  for await (const line of bundleLines(path, name)) {
    if (line.line === 'header') {
      filter = line.filter;
      if (from < line.first) assertShown(from, selection, line.filter, name);
    }
    if (!filter || !('sequence' in line)) continue;
    if (line.sequence > to) return;
    if (line.sequence < from) continue;
    if (line.line === 'omitted') assertShown(line.sequence, selection, filter, name);
    else {
      const message = messageIn(line, name);
      if (isSelected(message, selection)) yield message;
    }
  }
}

/** That an event which is left out was not asked for. @throws SignalboxError `not_found` */
function assertShown(sequence: number, asked: EventSelection, filter: BundleFilter, name: string): void {
  const isOfOthers =
    filter.project !== undefined &&
    asked.project === filter.project &&
    (filter.task === undefined || asked.task === filter.task);
  if (isOfOthers && sequence >= filter.from && sequence <= filter.to) return;
  const { project, task, from, to } = filter;
  const shown = [
    `events ${from} to ${to}`,
    ...(project === undefined
      ? []
      : [`of ${task === undefined ? '' : `task ${task} of `}project ${project}`]),
  ].join(' ');
  throw new SignalboxError(
    'not_found',
    `${name} does not show event ${sequence}: it has ${shown}, and of the rest only hashes. A state can be computed from a bundle of everything only; single events are shown by "events show" and "events tail" with --from and --project or --task as the bundle has them, and a task by "audit report"`,
    { details: { sequence, filter } },
  );
}

function messageIn(line: Exclude<ItemLine, { line: 'omitted' }>, name: string): StoredMessage {
  const { sequence, event: text, sha256 } = line;
  const { id, event } = decodeRecord(text, `event ${sequence} of ${name}`);
  const bytes = Buffer.from(text);
  const stored = { sequence, id, subject: eventSubject(subjectPartsOf(event)), bytes };
  return line.line === 'redacted' ? { ...stored, originalHash: sha256 } : stored;
}

/** The header first, and everything up to the end of the bundle. */
async function* bundleLines(path: string, name: string): AsyncIterable<BundleLine> {
  let header: BundleHeader | null = null;
  let isEnded = false;
  let number = 0;
  for await (const { bytes } of linesOf(chunksOf(path))) {
    number++;
    if (header === null) {
      header = headerOf(bytes);
      yield header;
      continue;
    }
    const line = parseLine(bytes);
    if (line === null) throw damaged(name, `line ${number} is none of a bundle`);
    isEnded = line.line === 'end';
    yield line;
  }
  if (header === null) throw damaged(name, 'it is empty');
  if (!isEnded) throw damaged(name, 'its end is missing: it was cut off, or is still being written');
}

async function* chunksOf(path: string): AsyncIterable<Uint8Array> {
  try {
    yield* createReadStream(path) as AsyncIterable<Buffer>;
  } catch (cause) {
    throw new SignalboxError('content_unreadable', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function damaged(name: string, why: string): SignalboxError {
  return new SignalboxError('log_corrupt', `${name} cannot be used: ${why}`);
}
