/**
 * The outcome of an attempt, judged by its process, the report of the agent, and the reason of a stop.
 *
 * This is the one place that words the error of an attempt. Everything that shows it (the reason of its task, dead
 * letters, pages, events, webhooks, the next prompt) repeats this text, so it names the cause as the program told it.
 */
import type { AttemptContext } from '../../../machines/index.ts';
import { unreachable } from '../../contracts/errors.ts';
import type { AttemptOutcome, StopReason } from '../../contracts/tasks.ts';
import type { RunResult } from '../../drivers/driver.ts';
import type { QuotaSign } from '../../drivers/quota.ts';

export interface Judgement {
  readonly outcome: AttemptOutcome;
  readonly error?: string;
}

/** What is known of the cause of a failure. */
export interface Cause {
  /** The failure that the result of the run itself reports. */
  readonly failure?: string | undefined;
  /** The line of its messages that says best what went wrong. */
  readonly printed?: string | undefined;
  /** The detail with which the agent reported a failure. */
  readonly reported?: string | undefined;
}

/** What the agent reported, and why it was stopped. */
type Reported = Pick<AttemptContext, 'verdict' | 'stopReason'>;

/**
 * @param hasOutput whether the task has an output, or needs none
 */
export function judge(
  result: RunResult,
  attempt: Reported,
  hasOutput: boolean,
  cause: Cause = {},
): Judgement {
  if (attempt.stopReason !== null) return judgeStopped(attempt.stopReason, attempt, hasOutput, cause);
  switch (result.kind) {
    case 'exited':
      if (!(result.ok ?? result.code === 0))
        return { outcome: 'failed', error: exitText(result.code, cause.failure ?? cause.printed) };
      return judgeFinished(attempt, hasOutput, cause);
    case 'returned':
      return judgeFinished(attempt, hasOutput, cause);
    case 'signalled':
      return {
        outcome: 'killed',
        error: withPrinted(`ended by ${result.signal}, which Signalbox did not send`, cause),
      };
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
  { failure, printed, reported }: Cause,
): Judgement {
  switch (attempt.verdict) {
    case 'failed': {
      const detail = reported ?? failure;
      return {
        outcome: 'failed',
        error: `the agent reported a failure${detail === undefined ? '' : `: ${detail}`}`,
      };
    }
    case 'blocked':
      return { outcome: 'completed' };
    case 'submitted':
    case null:
      if (failure !== undefined) return { outcome: 'failed', error: failure };
      return hasOutput
        ? { outcome: 'completed' }
        : { outcome: 'failed', error: withPrinted(NO_OUTPUT, { printed }) };
    default:
      return unreachable(attempt.verdict, 'judgeFinished');
  }
}

/** What it printed last does not explain why it was stopped or had no output, but often where it was by then. */
function withPrinted(error: string, { printed }: Cause): string {
  return printed === undefined ? error : `${error}: it printed "${printed}"`;
}

function judgeStopped(reason: StopReason, attempt: Reported, hasOutput: boolean, cause: Cause): Judgement {
  // The agent had reported and only its process was left: the report counts, whatever the stop was for.
  if (attempt.verdict !== null && reason !== 'cancelled' && reason !== 'operator') {
    return judgeFinished(attempt, hasOutput, cause);
  }
  switch (reason) {
    case 'timeout':
      return { outcome: 'timed_out', error: withPrinted('it exceeded its time limit', cause) };
    case 'silence':
      return { outcome: 'timed_out', error: withPrinted('it showed no sign of life for too long', cause) };
    case 'cancelled':
      return { outcome: 'cancelled', error: 'the task was cancelled' };
    case 'operator':
      return { outcome: 'killed', error: 'an operator stopped it' };
    case 'shutdown':
      return { outcome: 'killed', error: 'Signalbox shut down and was told to end its agents' };
    case 'parked':
      return { outcome: 'parked' };
    case 'lingering':
      return judgeFinished(attempt, hasOutput, cause);
    default:
      return unreachable(reason, 'judgeStopped');
  }
}
