/** Transcripts of lines that no process has printed. */
import {
  type TranscriptEntry,
  type TranscriptFormat,
  transcriptEntrySchema,
} from '../../../src/contracts/transcript/schemas.ts';
import { entriesOf } from '../../../src/drivers/transcript/transcript.ts';

/** The transcript of these lines, one after the other. */
export function transcriptOf(format: TranscriptFormat, lines: readonly string[]): TranscriptEntry[] {
  let from = 0;
  return lines.flatMap((text) => {
    const bytes = Buffer.from(text);
    const line = { kind: 'line', from, to: from + bytes.length + 1, bytes, isWhole: true } as const;
    from = line.to;
    return entriesOf(format, line).map((entry) =>
      transcriptEntrySchema.parse(JSON.parse(JSON.stringify(entry))),
    );
  });
}

/** The same of events, without the places. */
export const eventsIn = (format: TranscriptFormat, ...all: readonly object[]): object[] =>
  transcriptOf(
    format,
    all.map((each) => JSON.stringify(each)),
  ).map(({ id: _id, ...entry }) => entry);
