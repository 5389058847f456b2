/**
 * Which events a bundle has to hold, so that those that were asked for can be verified with it: whole parts of the log
 * between two checkpoints, up to the checkpoint that covers them.
 */

import { SignalboxError } from '../../contracts/errors.ts';
import type { DomainEvent, EventOf, EventType } from '../../contracts/events/events.ts';
import { supervisorFilter, taskSubject } from '../../contracts/messages/subjects.ts';
import { decodeRecord } from '../../journal/codec/cloud-event.ts';
import type { LogReader } from '../../journal/journal.ts';
import { readRedactions } from '../../journal/redactions.ts';
import type { BundleFilter } from './bundle-format.ts';
import type { IntroducedKey } from './key-chain.ts';

/** A place in the log: a sequence, or a time in epoch milliseconds. */
export type Place = { readonly sequence: number } | { readonly time: number };

export interface BundleRequest {
  readonly project?: string | undefined;
  /** Needs the project. */
  readonly task?: string | undefined;
  readonly from?: Place | undefined;
  /** Inclusive. */
  readonly to?: Place | undefined;
}

export interface BundleRange {
  readonly filter: BundleFilter;
  /** First and last line. */
  readonly first: number;
  readonly last: number;
  readonly isEnd: boolean;
  /** Keys that were introduced before the first line. */
  readonly earlierKeys: readonly IntroducedKey[];
}

/** @throws SignalboxError `task_not_found`, `invalid_request` for a range without events, `nats_unavailable` */
export async function rangeOf(reader: LogReader, request: BundleRequest): Promise<BundleRange> {
  const { sequence: end } = await reader.tip();
  const { project, task } = request;
  const bounds = await boundsOf(reader, request, end);
  const checkpoints = await own(reader, 'supervisor.checkpointed');
  const keys = await own(reader, 'supervisor.key_introduced');
  const part = checkpoints.find(({ event }) => event.from <= bounds.from && bounds.from <= event.sequence);
  const first = part?.event.from ?? bounds.from;
  let last = checkpoints.find(({ event }) => event.sequence >= bounds.to)?.sequence ?? end;
  // A redaction comes later than what it erased, and only it vouches for what stands there.
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

/** Whether an event is shown: what was asked for, and what is needed to verify it. */
export function isShown(
  event: DomainEvent,
  sequence: number,
  { project, task, from, to }: BundleFilter,
): boolean {
  if (event.type === 'supervisor.checkpointed' || event.type === 'supervisor.key_introduced') return true;
  const place = event.type === 'task.redacted' && sequence > to ? event.sequence : sequence;
  if (place < from || place > to) return false;
  if (project === undefined) return true;
  return 'project' in event && event.project === project && (task === undefined || event.task === task);
}

async function boundsOf(
  reader: LogReader,
  { project, task, from, to }: BundleRequest,
  end: number,
): Promise<{ from: number; to: number }> {
  const bounds = {
    from: Math.max(1, from === undefined ? 1 : await firstFrom(reader, from, end)),
    to: Math.min(end, to === undefined ? end : await lastUpTo(reader, to, end)),
  };
  if (bounds.from > bounds.to && end > 0) {
    throw new SignalboxError(
      'invalid_request',
      `no event is from ${bounds.from} to ${bounds.to}: the log has 1 to ${end}`,
    );
  }
  if (task === undefined || project === undefined) return bounds;
  const sequences: number[] = [];
  for await (const { sequence } of reader.readBySubject(taskSubject(project, task))) {
    if (sequence >= bounds.from && sequence <= bounds.to) sequences.push(sequence);
  }
  const [first] = sequences;
  if (first !== undefined) return { from: first, to: sequences.at(-1) ?? first };
  throw new SignalboxError('task_not_found', `the log has no event of a task ${task} in project ${project}`);
}

async function firstFrom(reader: LogReader, place: Place, end: number): Promise<number> {
  return 'sequence' in place ? place.sequence : firstAt(reader, place.time, end);
}

async function lastUpTo(reader: LogReader, place: Place, end: number): Promise<number> {
  return 'sequence' in place ? place.sequence : (await firstAt(reader, place.time + 1, end)) - 1;
}

/** The first event at or after a time, by halving: times rise as far as the writer's clock did. */
async function firstAt(reader: LogReader, time: number, end: number): Promise<number> {
  let low = 1;
  let high = end + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((await timeAt(reader, middle)) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function timeAt(reader: LogReader, sequence: number): Promise<number> {
  for await (const { bytes } of reader.read({ from: sequence, to: sequence })) {
    return decodeRecord(Buffer.from(bytes).toString(), `sequence ${sequence}`).time;
  }
  throw new SignalboxError('log_corrupt', `the log has no event ${sequence}`, { details: { sequence } });
}

/** The supervisor's own events of one type, in order. */
async function own<Type extends EventType>(
  reader: LogReader,
  type: Type,
): Promise<{ readonly sequence: number; readonly event: EventOf<Type> }[]> {
  const found: { sequence: number; event: EventOf<Type> }[] = [];
  for await (const { bytes, sequence } of reader.readByFilter(supervisorFilter(type.split('.')[1] ?? ''))) {
    const { event } = decodeRecord(Buffer.from(bytes).toString(), `sequence ${sequence}`);
    if (event.type === type) found.push({ sequence, event: event as EventOf<Type> });
  }
  return found;
}
