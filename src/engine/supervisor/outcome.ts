/** The outcome of an attempt, judged by its process, the report of the agent, and the reason of a stop. */
import type { AttemptContext } from '../../../machines/index.ts';
import { unreachable } from '../../contracts/errors.ts';
import type { AttemptOutcome, StopReason } from '../../contracts/tasks.ts';
import type { RunResult } from '../../drivers/driver.ts';
import type { QuotaSign } from '../../drivers/quota.ts';

export interface Judgement {
  readonly outcome: AttemptOutcome;
  readonly error?: string;
}

/** What the agent reported, and why it was stopped. */
type Reported = Pick<AttemptContext, 'verdict' | 'stopReason'>;

/**
 * @param hasOutput whether the task has an output, or needs none
 * @param failure the failure that the result of the run itself reports
 * @param printed the line of its messages that says best what went wrong
 */
export function judge(
  result: RunResult,
  attempt: Reported,
  hasOutput: boolean,
  failure?: string,
  printed?: string,
): Judgement {
  if (attempt.stopReason !== null) return judgeStopped(attempt.stopReason, attempt, hasOutput, failure);
  switch (result.kind) {
    case 'exited':
      if (!(result.ok ?? result.code === 0))
        return { outcome: 'failed', error: exitText(result.code, failure ?? printed) };
      return judgeFinished(attempt, hasOutput, failure, printed);
    case 'returned':
      return judgeFinished(attempt, hasOutput, failure);
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

/**
 * An attempt that failed because the quota of its agent was used up does not count as one. What its agent reported
 * itself stands, and so does a stop that was asked for.
 */
export function withQuota(judgement: Judgement, { verdict }: Reported, quota?: QuotaSign): Judgement {
  const { outcome } = judgement;
  if (quota === undefined || verdict === 'failed') return judgement;
  return outcome === 'failed' || outcome === 'timed_out'
    ? { outcome: 'quota', error: quota.reason }
    : judgement;
}

const NO_OUTPUT = 'it ended without an output, and the task needs one';

function exitText(code: number, failure: string | undefined): string {
  return failure === undefined ? `exited with code ${code}` : `exited with code ${code}: ${failure}`;
}

/** The process ended successfully: the report of the agent decides, and the result must not contradict it. */
function judgeFinished(
  attempt: Reported,
  hasOutput: boolean,
  failure: string | undefined,
  printed?: string,
): Judgement {
  switch (attempt.verdict) {
    case 'failed':
      return { outcome: 'failed', error: 'the agent reported a failure' };
    case 'blocked':
      return { outcome: 'completed' };
    case 'submitted':
    case null:
      if (failure !== undefined) return { outcome: 'failed', error: failure };
      return hasOutput
        ? { outcome: 'completed' }
        : {
            outcome: 'failed',
            error: `${NO_OUTPUT}${printed === undefined ? '' : `: it printed "${printed}"`}`,
          };
    default:
      return unreachable(attempt.verdict, 'judgeFinished');
  }
}

function judgeStopped(
  reason: StopReason,
  attempt: Reported,
  hasOutput: boolean,
  failure: string | undefined,
): Judgement {
  // The agent had reported and only its process was left: the report counts, whatever the stop was for.
  if (attempt.verdict !== null && reason !== 'cancelled' && reason !== 'operator') {
    return judgeFinished(attempt, hasOutput, failure);
  }
  switch (reason) {
    case 'timeout':
      return { outcome: 'timed_out', error: 'it exceeded its time limit' };
    case 'silence':
      return { outcome: 'timed_out', error: 'it showed no sign of life for too long' };
    case 'cancelled':
      return { outcome: 'cancelled', error: 'the task was cancelled' };
    case 'operator':
      return { outcome: 'killed', error: 'an operator stopped it' };
    case 'shutdown':
      return { outcome: 'killed', error: 'Signalbox shut down and was told to end its agents' };
    case 'parked':
      return { outcome: 'parked' };
    case 'lingering':
      return judgeFinished(attempt, hasOutput, failure);
    default:
      return unreachable(reason, 'judgeStopped');
  }
}
