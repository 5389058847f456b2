/** Notes beside the output of an attempt in which format it is, so that it can be read whatever becomes of its driver. */
import { join } from 'node:path';
import { readSmallSync, writeFresh } from '../../base/regular-files.ts';
import { TRANSCRIPT_FORMATS, type TranscriptFormat } from '../../contracts/transcript/schemas.ts';

const FILE = 'transcript-format';
const MAX_BYTES = 100;

/** @param directory of the attempt. @throws errors of the system */
export async function noteFormat(directory: string, format: TranscriptFormat): Promise<void> {
  await writeFresh(join(directory, FILE), `${format}\n`);
}

/** `text` if nothing is noted, or nothing that can be read: the agent can write there, too. */
export function formatOf(directory: string): TranscriptFormat {
  const noted = noteIn(directory)?.trim();
  return TRANSCRIPT_FORMATS.find((format) => format === noted) ?? 'text';
}

function noteIn(directory: string): string | undefined {
  try {
    return readSmallSync(join(directory, FILE), MAX_BYTES)?.text;
  } catch {
    return undefined;
  }
}
