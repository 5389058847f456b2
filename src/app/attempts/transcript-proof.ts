/** Reads what is left of the output of attempts that end: what proves their transcripts, and whether a report was refused. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { statRegularSync } from '../../base/regular-files.ts';
import { messageOf } from '../../contracts/errors.ts';
import { attemptKey } from '../../contracts/ids.ts';
import { formatOf } from '../../drivers/transcript/format-file.ts';
import { refusedReportIn } from '../../drivers/transcript/refused-report.ts';
import { openRecorded, provedBy, recordedOutputOf } from '../../drivers/transcript/transcript.ts';
import type { EndedOutput, OutputAtEnd } from '../../engine/supervisor/attempt-ends.ts';

const NOTHING: EndedOutput = {};

/** @param attempts holds a directory for each attempt */
export function outputAtEnd(attempts: string, logger: Logger): OutputAtEnd {
  return (attempt) => {
    const directory = join(attempts, attemptKey(attempt));
    // Most agents in this process have no directory.
    if (statRegularSync(recordedOutputOf(directory)) === undefined) return null;
    return readOutput(directory, attempts).catch((error: unknown) => {
      // Whatever happens, the end of the attempt is recorded.
      logger.warn(
        { ...attempt, err: error },
        `the transcript of an attempt is not proved: ${messageOf(error)}`,
      );
      return NOTHING;
    });
  };
}

async function readOutput(directory: string, below: string): Promise<EndedOutput> {
  const output = await openRecorded(directory, below);
  try {
    const format = formatOf(directory);
    const transcript = (await provedBy(output, format)) ?? undefined;
    return { transcript, refusedReport: await refusedReportIn(output, format) };
  } finally {
    await output.close();
  }
}
