/**
 * The events of a bundle as a source for a replay. Signatures are verified by "audit verify" only. An omitted event that
 * may have been requested is an error, never skipped.
 */
import { createReadStream } from 'node:fs';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { eventSubject, subjectPartsOfAll } from '../../contracts/messages/subjects.ts';
import { type EventSelection, type EventSource, isSelected } from '../../engine/replay/event-source.ts';
import { decodeMessage, eventsOf } from '../../journal/codec/cloud-event.ts';
import type { StoredMessage } from '../../journal/journal.ts';
import {
  type BundleFilter,
  type BundleHeader,
  type BundleLine,
  bundleLinesOf,
  type ItemLine,
  parseHeader,
  parseLine,
} from './bundle-format.ts';

/**
 * Reading it throws SignalboxError `content_unreadable`, `invalid_request` if it is not a bundle, `log_corrupt` if it is
 * damaged, `not_found` for an omitted event.
 */
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
      if (from < line.first) assertNotRequested(from, selection, line.filter, name);
    }
    if (!filter || !('sequence' in line)) continue;
    if (line.sequence > to) return;
    if (line.sequence < from) continue;
    if (line.line === 'omitted') assertNotRequested(line.sequence, selection, filter, name);
    else {
      const message = messageIn(line, name);
      if (isSelected(message, selection)) yield message;
    }
  }
}

/** Checks that an omitted event was not requested. @throws SignalboxError `not_found` */
function assertNotRequested(
  sequence: number,
  requested: EventSelection,
  filter: BundleFilter,
  name: string,
): void {
  const isOther =
    filter.project !== undefined &&
    requested.project === filter.project &&
    (filter.task === undefined || requested.task === filter.task);
  if (isOther && sequence >= filter.from && sequence <= filter.to) return;
  const { project, task, from, to } = filter;
  const content = [
    `events ${from} to ${to}`,
    ...(project === undefined
      ? []
      : [`of ${task === undefined ? '' : `task ${task} of `}project ${project}`]),
  ].join(' ');
  throw new SignalboxError(
    'not_found',
    `${name} does not include event ${sequence}: it has ${content}, and only hashes of the rest. A state can be computed only from a bundle of the whole log. "events show" and "events tail" show single events, with --from and --project or --task as in the bundle; "audit report" shows a task`,
    { details: { sequence, filter } },
  );
}

function messageIn(line: Exclude<ItemLine, { line: 'omitted' }>, name: string): StoredMessage {
  const { sequence, event: text, sha256 } = line;
  const records = decodeMessage(text, `event ${sequence} of ${name}`);
  const bytes = Buffer.from(text);
  const stored = {
    sequence,
    id: records[0].id,
    subject: eventSubject(subjectPartsOfAll(eventsOf(records))),
    bytes,
  };
  return line.line === 'redacted' ? { ...stored, originalHash: sha256 } : stored;
}

/** All lines, the header first. */
async function* bundleLines(path: string, name: string): AsyncIterable<BundleLine> {
  let header: BundleHeader | null = null;
  let isEnded = false;
  let number = 0;
  for await (const { bytes } of bundleLinesOf(chunksOf(path))) {
    number++;
    if (header === null) {
      header = parseHeader(bytes);
      yield header;
      continue;
    }
    const line = parseLine(bytes);
    if (line === null) throw damaged(name, `line ${number} is not a line of a bundle`);
    isEnded = line.line === 'end';
    yield line;
  }
  if (header === null) throw damaged(name, 'it is empty');
  if (!isEnded) throw damaged(name, 'its end is missing: the file is truncated, or is still being written');
}

async function* chunksOf(path: string): AsyncIterable<Uint8Array> {
  try {
    yield* createReadStream(path) as AsyncIterable<Buffer>;
  } catch (cause) {
    throw new SignalboxError('content_unreadable', `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}

function damaged(name: string, why: string): SignalboxError {
  return new SignalboxError('log_corrupt', `cannot use ${name}: ${why}`);
}
