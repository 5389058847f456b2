/**
 * Writes a bundle: the requested events with their exact bytes, and the hashes of the events around them. To be
 * verifiable, it covers whole parts of the log between two checkpoints.
 */
import { createHash } from 'node:crypto';
import { SignalboxError } from '../../contracts/errors.ts';
import type { DomainEvent, EventOf, EventType } from '../../contracts/events/events.ts';
import { supervisorFilter, taskSubject } from '../../contracts/messages/subjects.ts';
import { eventsOf, readRecords, recordsOf } from '../../journal/codec/cloud-event.ts';
import type { LogReader, StoredMessage } from '../../journal/journal.ts';
import { chainHashOf, readRedactions } from '../../journal/redactions.ts';
import { VERSION } from '../../version.ts';
import {
  BUNDLE_FORMAT,
  BUNDLE_VERSION,
  BundleContents,
  type BundleFilter,
  type BundleLine,
  type BundleManifest,
  type ItemLine,
} from './bundle-format.ts';
import type { IntroducedKey } from './checkpoints.ts';

/** A position in the log: a sequence, or a time in epoch milliseconds. */
export type LogPosition = { readonly sequence: number } | { readonly time: number };

export interface BundleRequest {
  readonly project?: string | undefined;
  /** Requires the project. */
  readonly task?: string | undefined;
  readonly from?: LogPosition | undefined;
  /** Inclusive. */
  readonly to?: LogPosition | undefined;
}

export interface BundleSink {
  /** Resolves when the next part of the text can be written. */
  write(text: string): Promise<void>;
  /** Called after each event, with the number of events that are written. */
  progress?(done: number, total: number): void;
}

/**
 * @param reader with tombstones for erased events
 * @param created epoch milliseconds
 * @throws SignalboxError `task_not_found`, `invalid_request` for a range without events, `log_corrupt` for a log with a
 *   gap, `nats_unavailable`
 */
export async function exportBundle(
  reader: LogReader,
  request: BundleRequest,
  created: number,
  sink: BundleSink,
): Promise<BundleManifest> {
  const { first, last, isEnd, filter, earlierKeys } = await rangeOf(reader, request);
  const digest = createHash('sha256');
  const put = async (line: BundleLine): Promise<void> => {
    const text = `${JSON.stringify(line)}\n`;
    digest.update(text);
    await sink.write(text);
  };
  await put({
    line: 'header',
    format: BUNDLE_FORMAT,
    version: BUNDLE_VERSION,
    signalbox: VERSION,
    created: new Date(created).toISOString(),
    filter,
    first,
    keys: earlierKeys,
  });
  const contents = new BundleContents({ first, keys: earlierKeys });
  for await (const message of reader.read({ from: first, to: last })) {
    const events = eventsIn(message);
    const line = lineOf(message, events, filter);
    contents.add(line, events);
    await put(line);
    sink.progress?.(message.sequence + 1 - first, last + 1 - first);
  }
  const manifest: BundleManifest = { line: 'manifest', ...contents.manifest, is_end: isEnd };
  await put(manifest);
  const end: BundleLine = { line: 'end', sha256: digest.digest('hex') };
  await sink.write(`${JSON.stringify(end)}\n`);
  return manifest;
}

function lineOf(message: StoredMessage, events: readonly DomainEvent[], filter: BundleFilter): ItemLine {
  const { sequence, originalHash, bytes } = message;
  const sha256 = chainHashOf(message);
  // An unreadable message is included, for the auditor to see.
  if (events.length > 0 && !events.some((event) => isIncluded(event, sequence, filter)))
    return { line: 'omitted', sequence, sha256 };
  const line = originalHash === undefined ? 'event' : 'redacted';
  return { line, sequence, sha256, event: Buffer.from(bytes).toString() };
}

/** None if the message is unreadable. */
function eventsIn(message: StoredMessage): readonly DomainEvent[] {
  try {
    return eventsOf(readRecords(message));
  } catch {
    return [];
  }
}

/** Whether the content of an event is included: it was requested, or is needed for the verification. */
function isIncluded(
  event: DomainEvent,
  sequence: number,
  { project, task, from, to }: BundleFilter,
): boolean {
  if (event.type === 'supervisor.checkpointed' || event.type === 'supervisor.key_introduced') return true;
  const position = event.type === 'task.redacted' && sequence > to ? event.sequence : sequence;
  if (position < from || position > to) return false;
  if (project === undefined) return true;
  return 'project' in event && event.project === project && (task === undefined || event.task === task);
}

interface BundleRange {
  readonly filter: BundleFilter;
  /** First and last event. */
  readonly first: number;
  readonly last: number;
  /** Whether the last one is the last of the log. */
  readonly isEnd: boolean;
  /** Keys that were introduced before the first event. */
  readonly earlierKeys: IntroducedKey[];
}

async function rangeOf(reader: LogReader, request: BundleRequest): Promise<BundleRange> {
  const { sequence: end } = await reader.tip();
  const { project, task } = request;
  const bounds = await boundsOf(reader, request, end);
  const checkpoints = await supervisorEvents(reader, 'supervisor.checkpointed');
  const keys = await supervisorEvents(reader, 'supervisor.key_introduced');
  const part = checkpoints.find(({ event }) => event.from <= bounds.from && bounds.from <= event.sequence);
  const first = part?.event.from ?? bounds.from;
  let last = checkpoints.find(({ event }) => event.sequence >= bounds.to)?.sequence ?? end;
  // A redaction comes after the event that it erases, and is needed to verify the tombstone.
  for await (const { sequence, by } of readRedactions(reader)) {
    if (bounds.from <= sequence && sequence <= bounds.to) last = Math.max(last, by);
  }
  const filter = {
    ...(project !== undefined && { project }),
    ...(task !== undefined && { task }),
    ...bounds,
  };
  const earlierKeys = keys.filter(({ sequence }) => sequence < first);
  return {
    filter,
    first,
    last,
    isEnd: last === end,
    earlierKeys: earlierKeys.map(({ sequence, event: { type, ...key } }) => ({ ...key, sequence })),
  };
}

async function boundsOf(
  reader: LogReader,
  { project, task, from, to }: BundleRequest,
  end: number,
): Promise<{ from: number; to: number }> {
  const first = from === undefined ? 1 : await firstAt(reader, from, end);
  const last = to === undefined ? end : await lastAt(reader, to, end);
  const bounds = { from: Math.max(1, first), to: Math.min(end, last) };
  if (bounds.from > bounds.to && end > 0) {
    throw new SignalboxError(
      'invalid_request',
      `there are no events from ${bounds.from} to ${bounds.to}: the log has events 1 to ${end}`,
    );
  }
  if (task === undefined || project === undefined) return bounds;
  const sequences: number[] = [];
  for await (const { sequence } of reader.readBySubject(taskSubject({ project, task }))) {
    if (sequence >= bounds.from && sequence <= bounds.to) sequences.push(sequence);
  }
  const [firstOfTask] = sequences;
  if (firstOfTask !== undefined) return { from: firstOfTask, to: sequences.at(-1) ?? firstOfTask };
  throw new SignalboxError('task_not_found', `the log has no events of task ${task} in project ${project}`);
}

async function lastAt(reader: LogReader, position: LogPosition, end: number): Promise<number> {
  if ('sequence' in position) return position.sequence;
  return (await firstAt(reader, { time: position.time + 1 }, end)) - 1;
}

/** The first event at or after a position. Binary search: times never fall, unless the writer's clock was set back. */
async function firstAt(reader: LogReader, position: LogPosition, end: number): Promise<number> {
  if ('sequence' in position) return position.sequence;
  let low = 1;
  let high = end + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((await timeAt(reader, middle)) < position.time) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function timeAt(reader: LogReader, sequence: number): Promise<number> {
  for await (const message of reader.read({ from: sequence, to: sequence }))
    return readRecords(message)[0].time;
  throw new SignalboxError('log_corrupt', `the log has no event ${sequence}`, { details: { sequence } });
}

/** All events of one type of the supervisor, in order. */
async function supervisorEvents<Type extends EventType>(
  reader: LogReader,
  type: Type,
): Promise<{ readonly sequence: number; readonly event: EventOf<Type> }[]> {
  const found: { sequence: number; event: EventOf<Type> }[] = [];
  const messages = reader.readByFilter(supervisorFilter(type.split('.')[1] ?? ''));
  for await (const { event, sequence } of recordsOf(messages)) {
    if (event.type === type) found.push({ sequence, event: event as EventOf<Type> });
  }
  return found;
}
