/** How an attempt ended, judged by the process, by what the agent said, and by why it was stopped. */
import type { AttemptContext } from '../../machines/index.ts';
import { unreachable } from '../contracts/errors.ts';
import type { AttemptOutcome, StopReason } from '../contracts/tasks.ts';
import type { RunResult } from '../process/drivers/driver.ts';

export interface Judgement {
  readonly outcome: AttemptOutcome;
  readonly error?: string;
}

/** @param hasOutput whether the task has an output, or needs none */
export function judge(result: RunResult, attempt: AttemptContext, hasOutput: boolean): Judgement {
  if (attempt.stopReason !== null) return judgeStopped(attempt.stopReason, attempt, hasOutput);
  switch (result.kind) {
    case 'exited':
      if (result.code !== 0) return { outcome: 'failed', error: `exited with code ${result.code}` };
      return judgeFinished(attempt, hasOutput);
    case 'returned':
      return judgeFinished(attempt, hasOutput);
    case 'signalled':
      return { outcome: 'killed', error: `ended by ${result.signal}, which Signalbox did not send` };
    case 'threw':
      return { outcome: 'failed', error: result.error };
    case 'lost':
      return { outcome: 'lost', error: result.reason };
    default:
      return unreachable(result, 'judge');
  }
}

/** It ended by itself and without an error: then its own word decides. */
function judgeFinished(attempt: AttemptContext, hasOutput: boolean): Judgement {
  switch (attempt.verdict) {
    case 'failed':
      return { outcome: 'failed', error: 'the agent reported a failure' };
    case 'blocked':
      return { outcome: 'completed' };
    case 'submitted':
    case null:
      return hasOutput
        ? { outcome: 'completed' }
        : { outcome: 'failed', error: 'it ended without an output, and the task needs one' };
    default:
      return unreachable(attempt.verdict, 'judgeFinished');
  }
}

function judgeStopped(reason: StopReason, attempt: AttemptContext, hasOutput: boolean): Judgement {
  // It had its say, and only its process stayed: then its word counts, for whatever the process was stopped.
  if (attempt.verdict !== null && reason !== 'cancelled' && reason !== 'operator') {
    return judgeFinished(attempt, hasOutput);
  }
  switch (reason) {
    case 'timeout':
      return { outcome: 'timed_out', error: 'it did not end within its time' };
    case 'silence':
      return { outcome: 'timed_out', error: 'it gave no sign of life for too long' };
    case 'cancelled':
      return { outcome: 'cancelled', error: 'the task was cancelled' };
    case 'operator':
      return { outcome: 'killed', error: 'an operator stopped it' };
    case 'shutdown':
      return { outcome: 'killed', error: 'Signalbox shut down and was told to end its agents' };
    case 'lingering':
      return judgeFinished(attempt, hasOutput);
    default:
      return unreachable(reason, 'judgeStopped');
  }
}
