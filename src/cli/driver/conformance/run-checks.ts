/** Runs all checks on a driver. */
import { messageOf } from '../../../contracts/errors.ts';
import { CHECKS, goodOutput } from './checks.ts';
import type { Subject } from './harness.ts';

export interface CheckResult {
  readonly name: string;
  /** null if the check does not apply to this driver. */
  readonly holds: boolean | null;
  /** How the driver passes, or why it fails. */
  readonly detail: string;
}

/** @param recording output of the real program; if null, an output is generated from the declaration of the driver */
export async function* runChecks(subject: Subject, recording: Buffer | null): AsyncIterable<CheckResult> {
  const good = recording ?? goodOutput(subject);
  for (const { name, run } of CHECKS) {
    try {
      const detail = await run(subject, good);
      yield detail === null
        ? { name, holds: null, detail: 'does not apply to this driver' }
        : { name, holds: true, detail };
    } catch (error) {
      yield { name, holds: false, detail: messageOf(error) };
    }
  }
}
