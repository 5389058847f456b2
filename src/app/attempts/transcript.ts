/**
 * The transcript of an attempt in parts, and as it grows.
 *
 * It is read from the recorded output each time, so it needs no memory while nobody reads it, and no state that a crash could
 * damage: a place in the output means the same before and after a restart.
 */
import { join } from 'node:path';
import { pause } from '../../base/time.ts';
import { type AttemptRef, attemptKey } from '../../contracts/ids.ts';
import type {
  ReadTranscript,
  TranscriptEntry,
  TranscriptFormat,
  TranscriptPage,
} from '../../contracts/transcript/schemas.ts';
import { questionIdOf } from '../../drivers/conversation/requests.ts';
import { formatOf } from '../../drivers/transcript/format-file.ts';
import { entriesOf, openRecorded, recordedOutputOf } from '../../drivers/transcript/transcript.ts';
import { hasLineEnd, linesFrom, placeBefore } from '../../process/files/recorded-lines.ts';
import { printedBytes, type RecordedOutput } from '../../process/files/recorded-output.ts';
import type { AppContext, Needs } from '../context.ts';
import { findAttempt } from './attempts.ts';

/** Bytes of the output that are read for one part: at least one line. */
const MAX_PART_BYTES = 1_024 * 1_024;
/** Milliseconds between two looks for more. */
const LOOK_MS = 250;

export function attemptDirectoryOf({ settings }: Needs<'settings.directories'>, attempt: AttemptRef): string {
  return join(settings.directories.attempts, attemptKey(attempt));
}

/**
 * A part of the transcript of an attempt; empty if there is nothing (yet).
 * @throws SignalboxError `task_not_found`, `not_found`
 */
export async function readTranscript(
  app: AppContext,
  ref: AttemptRef,
  { after = 0, before, limit }: ReadTranscript,
): Promise<TranscriptPage> {
  // Before the output is read: if the attempt is over now, nothing follows what is read.
  const { endedAt, transcript } = await findAttempt(app, ref);
  const isOver = endedAt !== null;
  const directory = attemptDirectoryOf(app, ref);
  const format = transcript?.format ?? formatOf(directory);
  const output = await openRecorded(directory, app.settings.directories.attempts);
  try {
    const part = { ref, format, isOver, limit };
    if (before === undefined) return await partFrom(output, { ...part, from: after });
    const end = before === 'end' ? output.end : before;
    const from = await placeBefore(output, { before: end, count: limit, maxBytes: MAX_PART_BYTES });
    // Also lines that have come since.
    return await partFrom(output, { ...part, from, before: end });
  } finally {
    await output.close();
  }
}

interface Part {
  readonly ref: AttemptRef;
  readonly format: TranscriptFormat;
  readonly isOver: boolean;
  readonly limit: number;
  readonly from: number;
  readonly before?: number;
}

async function partFrom(output: RecordedOutput, part: Part): Promise<TranscriptPage> {
  const { ref, format, isOver, limit, from, before } = part;
  const entries: TranscriptEntry[] = [];
  let next = from;
  let lines = 0;
  let isFull = false;
  for await (const line of linesFrom(output, { from, before, isOver })) {
    next = line.to;
    for (const entry of entriesOf(format, line)) entries.push(withQuestion(ref, entry));
    lines += 1;
    isFull = lines >= limit || next - from >= MAX_PART_BYTES;
    if (isFull) break;
  }
  const isEnd = next >= output.end || (!isFull && (before === undefined || before >= output.end));
  return { format, entries, start: from, next, has_earlier: from > 0, complete: isOver && isEnd };
}

/** A permission that an agent asks for has become a question, if its attempt asks. */
function withQuestion(ref: AttemptRef, entry: TranscriptEntry): TranscriptEntry {
  return entry.kind === 'permission' ? { ...entry, question: questionIdOf(ref, entry.request) } : entry;
}

/**
 * The transcript from a place on, part by part, as it grows; ends with the part that is complete, or with the signal.
 * @throws SignalboxError `task_not_found`, `not_found`
 */
export async function* followTranscript(
  app: AppContext,
  ref: AttemptRef,
  after: number,
  signal: AbortSignal,
): AsyncIterable<TranscriptPage> {
  let isFirst = true;
  for (let from = after; !signal.aborted; isFirst = false) {
    const page = await readTranscript(app, ref, { after: from, limit: FOLLOWED_LINES });
    if (page.entries.length > 0 || page.complete || isFirst) yield page;
    if (page.complete) return;
    if (page.next === from) await grown(app, ref, from, signal);
    from = page.next;
  }
}

const FOLLOWED_LINES = 1_000;

/** Resolves when there is more to read than the beginning of a line. Each byte is looked at once, however slowly it grows. */
async function grown(app: AppContext, ref: AttemptRef, from: number, signal: AbortSignal): Promise<void> {
  const directory = attemptDirectoryOf(app, ref);
  const path = recordedOutputOf(directory);
  let looked = from;
  for (let seen = -1; !signal.aborted; ) {
    if ((await findAttempt(app, ref)).endedAt !== null) return;
    const printed = printedBytes(path);
    if (printed !== seen) {
      seen = printed;
      const output = await openRecorded(directory, app.settings.directories.attempts);
      const hasMore = await hasLineEnd(output, looked).finally(() => output.close());
      if (hasMore) return;
      looked = Math.max(looked, output.end);
    }
    await pause(LOOK_MS, signal, app.environment.clock);
  }
}
