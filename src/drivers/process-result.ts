import { unreachable } from '../contracts/errors.ts';
import type { ExitReport } from '../process/runner.ts';
import type { RunResult } from './driver.ts';

/** What the end of a process says of the run. */
export function processResult(exit: ExitReport['exit'], okCodes: readonly number[]): RunResult {
  switch (exit.kind) {
    case 'exited':
      return { kind: 'exited', code: exit.code, ok: okCodes.includes(exit.code) };
    case 'signalled':
    case 'lost':
      return exit;
    case 'spawn_failed':
      return { kind: 'threw', error: exit.reason };
    default:
      return unreachable(exit, 'processResult');
  }
}
