/** Runs a driver against everything that it has to hold. */
import { messageOf } from '../../../contracts/errors.ts';
import { CHECKS, goodOutput } from './checks.ts';
import type { Subject } from './lab.ts';

export interface CheckResult {
  readonly name: string;
  /** null where it has no meaning for this driver. */
  readonly holds: boolean | null;
  /** How it holds, or what does not. */
  readonly detail: string;
}

/** @param recording what the real program has printed; without it, an output is made from the driver itself */
export async function* runChecks(subject: Subject, recording: Buffer | null): AsyncIterable<CheckResult> {
  const good = recording ?? goodOutput(subject);
  for (const { name, run } of CHECKS) {
    try {
      const detail = await run(subject, good);
      yield detail === null
        ? { name, holds: null, detail: 'not for this driver' }
        : { name, holds: true, detail };
    } catch (error) {
      yield { name, holds: false, detail: messageOf(error) };
    }
  }
}
