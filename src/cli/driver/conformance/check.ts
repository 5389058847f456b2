/** A check of the conformance kit. */
import type { Subject } from './harness.ts';

/** `run` returns null if the check does not apply to the driver. @throws Error with the reason for a failure */
export interface Check {
  readonly name: string;
  readonly run: (subject: Subject, good: string | Buffer) => Promise<string | null>;
}
