/** Proves the transcripts of attempts that end. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { statRegularSync } from '../../base/regular-files.ts';
import { messageOf } from '../../contracts/errors.ts';
import { attemptKey } from '../../contracts/ids.ts';
import { proofOf, recordedOutputOf } from '../../drivers/transcript/transcript.ts';
import type { TranscriptProver } from '../../engine/supervisor/attempt-ends.ts';

/** @param attempts holds a directory for each attempt */
export function transcriptProver(attempts: string, logger: Logger): TranscriptProver {
  return (attempt) => {
    const directory = join(attempts, attemptKey(attempt));
    // Most agents in this process have no directory.
    if (statRegularSync(recordedOutputOf(directory)) === undefined) return null;
    return proofOf(directory, attempts).catch((error: unknown) => {
      // Whatever happens, the end of the attempt is recorded.
      logger.warn(
        { ...attempt, err: error },
        `the transcript of an attempt is not proved: ${messageOf(error)}`,
      );
      return null;
    });
  };
}
