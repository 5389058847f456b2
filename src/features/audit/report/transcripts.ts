/** What the agents of a task said and did, from their recorded output, and whether that is what the log proves. */
import { join } from 'node:path';
import type { AttemptView } from '../../../../projections/index.ts';
import { attemptKey } from '../../../contracts/ids.ts';
import { TranscriptBlocks } from '../../../contracts/transcript/blocks.ts';
import type { TranscriptFormat } from '../../../contracts/transcript/schemas.ts';
import { blockText } from '../../../contracts/transcript/text.ts';
import { formatOf } from '../../../drivers/transcript/format-file.ts';
import { entriesOf, openRecorded, proofOf } from '../../../drivers/transcript/transcript.ts';
import { linesFrom, placeBefore } from '../../../process/files/recorded-lines.ts';

export interface ReportedTranscript {
  /** `open`: the log has no hash of it (yet). */
  readonly state: 'proved' | 'different' | 'open';
  readonly text: string;
  /** Bytes of the output before the text. */
  readonly omitted: number;
}

type ProvedAttempt = Pick<AttemptView, 'project' | 'task' | 'attempt' | 'transcript'>;

/** Of the output of one attempt: the newest lines, as a person can still read them. */
const MAX_LINES = 2_000;
const MAX_BYTES = 512 * 1_024;

/** @param directory that holds a directory for each attempt. @returns by the number of the attempt */
export async function readTranscripts(
  directory: string,
  attempts: readonly ProvedAttempt[],
): Promise<Map<number, ReportedTranscript>> {
  const found = new Map<number, ReportedTranscript>();
  for (const attempt of attempts) {
    const transcript = await readTranscript(directory, attempt);
    if (transcript) found.set(attempt.attempt, transcript);
  }
  return found;
}

async function readTranscript(directory: string, attempt: ProvedAttempt): Promise<ReportedTranscript | null> {
  const own = join(directory, attemptKey(attempt));
  const proof = await proofOf(own, directory);
  if (proof === null) return null;
  const { transcript: recorded } = attempt;
  const isSame = recorded?.sha256 === proof.sha256 && recorded.bytes === proof.bytes;
  const state = recorded === null ? 'open' : isSame ? 'proved' : 'different';
  return { state, ...(await textOf(own, directory, recorded?.format ?? formatOf(own))) };
}

async function textOf(
  own: string,
  directory: string,
  format: TranscriptFormat,
): Promise<Pick<ReportedTranscript, 'text' | 'omitted'>> {
  const output = await openRecorded(own, directory);
  try {
    const from = await placeBefore(output, { before: output.end, count: MAX_LINES, maxBytes: MAX_BYTES });
    const blocks = new TranscriptBlocks();
    for await (const line of linesFrom(output, { from, isOver: true })) blocks.add(entriesOf(format, line));
    return { text: blocks.blocks.map(blockText).join('\n'), omitted: from };
  } finally {
    await output.close();
  }
}
