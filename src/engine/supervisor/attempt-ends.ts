/**
 * Records how attempts ended: their outputs, their outcome, and when the next attempt is due.
 *
 * Invariant attempts/ended-for-certain: the end of an attempt always fits in an event and is never refused for its
 * size, so no attempt stays open because of it. The time of the next attempt is drawn once and recorded in the event: a
 * restart does not draw again.
 */

import type { AttemptContext } from '../../../machines/index.ts';
import { questionOf } from '../../../projections/index.ts';
import { cutText } from '../../base/text/cut-text.ts';
import { errorLine } from '../../base/text/error-line.ts';
import type { Backoff } from '../../contracts/config-values.ts';
import { messageOf } from '../../contracts/errors.ts';
import { type AttemptRef, attemptKey, type TaskRef, taskKey } from '../../contracts/ids.ts';
import type { Prices } from '../../contracts/prices.ts';
import type { AttemptOutcome, ContentReference, Output, TaskSpec } from '../../contracts/tasks.ts';
import type { RunEnd } from '../../drivers/driver.ts';
import type { QuotaSign } from '../../drivers/quota.ts';
import { taskOf } from '../runtime/views.ts';
import { cutToJsonBytes } from './fit-event.ts';
import { type Judgement, judge, withQuota } from './outcome.ts';
import { answerIn } from './questions/printed-answer.ts';
import { verdictIn } from './reviews.ts';
import type { SupervisorContext } from './supervisor-context.ts';
import { recordedUsage } from './usage/recorded-usage.ts';

interface AttemptEndsParts extends SupervisorContext {
  readonly prices: Prices;
  /** Where large outputs are kept; absent if they have to fit in an event. */
  readonly largeContent?: LargeContent | undefined;
  /** Reads the output of an attempt whose process has ended; null if it has none. Absent: none has. */
  readonly outputAtEnd?: OutputAtEnd | undefined;
  /** Called if a failed attempt reported that its agent's quota is used up; its end is recorded next. */
  readonly onQuota: (agent: string, sign: QuotaSign) => void;
  /** Called for an attempt that ends and is not parked; its end is recorded next. */
  readonly cancelQuestions: (attempt: AttemptRef, reason: string) => void;
}

/** States of a task in which the end of its attempt decides what happens next. */
export const ACTIVE_STATES: ReadonlySet<string> = new Set(['claimed', 'working', 'review']);

/** Recorded bytes of an error. */
const MAX_ERROR_BYTES = 60_000;

/**
 * Milliseconds to wait before the attempt that follows `attempts` finished ones.
 * @param random uniform in [0, 1)
 */
export function backoffMs(backoff: Backoff, attempts: number, random: number): number {
  const grown = backoff.initial_seconds * backoff.factor ** Math.max(attempts - 1, 0);
  const seconds = Math.min(grown, backoff.max_seconds);
  return Math.round(1_000 * seconds * (1 + backoff.jitter * (2 * random - 1)));
}

export type OutputAtEnd = (attempt: AttemptRef) => Promise<EndedOutput> | null;
export type EndedOutput = Pick<RunEnd, 'transcript' | 'refusedReport'>;

export interface LargeContent {
  /** Content of an output up to this size is in its event. */
  readonly inlineBytes: number;
  readonly store: (text: string) => Promise<ContentReference>;
}

/** Characters of a stored output that are shown without opening its file. */
const SUMMARY_LENGTH = 500;

async function stored({ content = '', ...output }: Output, { store }: LargeContent): Promise<Output> {
  return {
    ...output,
    summary: output.summary ?? cutText(content, SUMMARY_LENGTH, '…'),
    content_file: await store(content),
  };
}

function isLarge({ content = '' }: Output, { inlineBytes }: LargeContent): boolean {
  return content.length > inlineBytes || Buffer.byteLength(content) > inlineBytes;
}

export class AttemptEnds {
  readonly #options: AttemptEndsParts;
  /** Why the last report of an open attempt was refused, by its key. Not kept over a restart: the transcript is. */
  readonly #refused = new Map<string, string>();

  constructor(options: AttemptEndsParts) {
    this.#options = options;
  }

  /**
   * The end of a run with its large outputs in files, and with what proves its transcript. If an output cannot be stored, the
   * run has failed.
   * @returns a promise only if there is something to store or to read
   */
  complete(attempt: AttemptRef, end: RunEnd): RunEnd | Promise<RunEnd> {
    const kept = this.#keepLarge(end);
    const reading = this.#options.outputAtEnd?.(attempt) ?? null;
    if (reading === null) return kept;
    return Promise.all([kept, reading]).then(([each, output]) => ({ ...each, ...output }));
  }

  #keepLarge(end: RunEnd): RunEnd | Promise<RunEnd> {
    const large = this.#options.largeContent;
    if (!large) return end;
    if (!end.outputs.some((output) => isLarge(output, large))) return end;
    const kept = end.outputs.map((output) => this.kept(output));
    return Promise.all(kept).then(
      (outputs) => ({ ...end, outputs }),
      (error: unknown) => ({ ...end, outputs: [], failure: end.failure ?? messageOf(error) }),
    );
  }

  /** An output, in a file if it is large. @throws SignalboxError as storing it */
  async kept(output: Output): Promise<Output> {
    const large = this.#options.largeContent;
    return large && isLarge(output, large) ? stored(output, large) : output;
  }

  /** Records that a run is over. Does nothing if the attempt is not open. */
  record(ref: AttemptRef, agent: string, end: RunEnd): void {
    this.#options.together(() => this.#record(ref, agent, end));
  }

  #record(ref: AttemptRef, agent: string, end: RunEnd): void {
    const { host, decide } = this.#options;
    const { project, task, attempt } = ref;
    const entity = host.get('attempt', attemptKey(ref));
    if (!entity) return;
    const refused = this.#refusedReport(ref, entity.context, end);
    const counted = refused === undefined ? this.#countedOutputs(ref, end.outputs) : [];
    const [refusal] = counted.flatMap(
      (output) =>
        decide({ type: 'task.output_added', project, task, attempt, output }, `agent:${agent}`) ?? [],
    );
    const judged = judge(end.result, entity.context, this.#hasOutput(ref) || refusal !== undefined, {
      failure: end.failure ?? refused,
      printed: end.complaint ?? errorLine(end.stderrTail ?? ''),
      reported: this.#reportedFailure(ref, entity.context),
    });
    const wanted = this.#judgeUnwanted(ref, entity.context, judged);
    const judgement = this.#judgeAnswer(ref, counted, this.#judgeReview(ref, counted, wanted));
    const isCut = refusal !== undefined && judgement.outcome === 'completed';
    const error = `its output was refused: ${refusal?.message}`;
    const settled = isCut ? { outcome: 'failed' as const, error } : judgement;
    this.#recordEnd(ref, agent, withQuota(settled, entity.context, end.quota), end);
  }

  /**
   * A report of an open attempt was refused, or (null) accepted. What an agent says without a report is no result if its
   * last report was refused.
   */
  noteReport({ project, task, attempt }: AttemptRef, refusal: string | null): void {
    const key = attemptKey({ project, task, attempt });
    if (refusal === null || !this.#options.host.get('attempt', key)) this.#refused.delete(key);
    else this.#refused.set(key, refusal);
  }

  /** Why its exit code alone makes no result: it has tried to report one, in vain, and has left nothing else. */
  #refusedReport(ref: AttemptRef, { verdict }: AttemptContext, end: RunEnd): string | undefined {
    const refused = this.#refused.get(attemptKey(ref)) ?? end.refusedReport;
    this.#refused.delete(attemptKey(ref));
    if (refused === undefined || verdict !== null || this.#hasPosted(ref)) return undefined;
    if (end.outputs.some(({ diff }) => diff !== undefined)) return undefined;
    return `its report to Signalbox was refused, and it made no other: ${refused}`;
  }

  /** Records that a run could not be started. */
  recordUnstarted(ref: AttemptRef, agent: string, error: string): void {
    this.#recordEnd(ref, agent, { outcome: 'spawn_failed', error }, null);
  }

  /** Records that no worker has begun a run: it uses up no attempt. */
  recordNotBegun(ref: AttemptRef, agent: string, error: string): void {
    this.#recordEnd(ref, agent, { outcome: 'not_begun', error }, null);
  }

  /** Epoch milliseconds of the attempt after a failed one; null if none is left, or the task has moved on from it. */
  retryAt(ref: TaskRef): number | null {
    const entity = this.#options.host.get('task', taskKey(ref));
    const spec = taskOf(this.#options.projections, ref)?.spec;
    if (!entity || !spec || !ACTIVE_STATES.has(entity.state)) return null;
    const { context } = entity;
    return context.attemptsUsed >= context.attemptsGranted
      ? null
      : this.#afterBackoff(spec, context.attemptsUsed);
  }

  /** After a used-up quota the task waits for it, without a backoff: the attempt did not count. */
  #retryAtAfter(ref: AttemptRef, outcome: AttemptOutcome, quota: QuotaSign | undefined): number | null {
    if (outcome === 'completed' || outcome === 'parked') return null;
    const untilMs = quota?.untilMs ?? 0;
    if (outcome === 'quota')
      return this.#isActive(ref) ? Math.max(untilMs, this.#options.environment.clock.now()) : null;
    if (outcome === 'not_begun') {
      const spec = taskOf(this.#options.projections, ref)?.spec;
      return spec && this.#isActive(ref) ? this.#afterBackoff(spec, 1) : null;
    }
    const retryAt = this.retryAt(ref);
    return retryAt === null ? null : Math.max(retryAt, untilMs);
  }

  #afterBackoff({ backoff }: TaskSpec, attempts: number): number {
    const { clock, random } = this.#options.environment;
    return clock.now() + backoffMs(backoff, attempts, random());
  }

  #isActive(ref: TaskRef): boolean {
    return ACTIVE_STATES.has(this.#options.host.get('task', taskKey(ref))?.state ?? '');
  }

  /** Whether the task has an output or needs none; a task that has moved on takes none any more, so none is missing. */
  #hasOutput(ref: TaskRef): boolean {
    const task = this.#options.host.get('task', taskKey(ref));
    if (!task) return false;
    const { context, state } = task;
    return !context.outputsRequired || context.outputs > 0 || !ACTIVE_STATES.has(state);
  }

  /** The task has left the attempt with this report, so its reason is the detail, unless a user has decided since. */
  #reportedFailure(ref: AttemptRef, { verdict }: AttemptContext): string | undefined {
    const task = taskOf(this.#options.projections, ref);
    if (verdict !== 'failed' || task?.openAttempt !== ref.attempt) return undefined;
    return task.reason ?? undefined;
  }

  /** A success that met a decision about the task, whose stop was not recorded yet: it is no failure. */
  #judgeUnwanted(ref: TaskRef, { stopReason, verdict }: AttemptContext, judgement: Judgement): Judgement {
    const state = this.#options.host.get('task', taskKey(ref))?.state ?? 'gone';
    const isUnwanted = stopReason === null && verdict === null && !ACTIVE_STATES.has(state);
    if (!isUnwanted || judgement.outcome !== 'completed') return judgement;
    const error = `the task was ${state} before the result of this attempt could count`;
    return { outcome: 'cancelled', error };
  }

  /** A review without a verdict has failed, however its process ended. */
  #judgeReview(ref: AttemptRef, added: readonly Output[], judgement: Judgement): Judgement {
    const view = taskOf(this.#options.projections, ref);
    if (view?.spec.reviews === undefined || judgement.outcome !== 'completed') return judgement;
    // A blocked review waits for a user: it has no verdict yet.
    if (view.state === 'blocked' || verdictIn([...view.outputs, ...added])) return judgement;
    return { outcome: 'failed', error: 'it gave no verdict: it neither approved nor rejected' };
  }

  /** A task that has to answer a question has failed if the question is still open, and it has no answer to it. */
  #judgeAnswer(ref: AttemptRef, added: readonly Output[], judgement: Judgement): Judgement {
    const { projections } = this.#options;
    const view = taskOf(projections, ref);
    const { answers } = view?.spec ?? {};
    if (!view || answers === undefined || judgement.outcome !== 'completed' || view.state === 'blocked')
      return judgement;
    const asking = { project: ref.project, task: answers.task };
    const question = questionOf(projections.questions, asking, answers.question);
    if (question?.answer !== null || answerIn([...view.outputs, ...added], question.spec)) return judgement;
    return { outcome: 'failed', error: `it gave no answer that question ${answers.question} takes` };
  }

  /** Outputs of the run itself count only if the agent has posted none in this attempt; its diff always does. */
  #countedOutputs(ref: AttemptRef, outputs: readonly Output[]): readonly Output[] {
    const state = this.#options.host.get('task', taskKey(ref))?.state;
    if (state !== 'working' && state !== 'review') return [];
    return this.#hasPosted(ref) ? outputs.filter(({ diff }) => diff !== undefined) : outputs;
  }

  #hasPosted(ref: AttemptRef): boolean {
    const posted = taskOf(this.#options.projections, ref)?.outputs ?? [];
    return posted.some(({ attempt, diff }) => attempt === ref.attempt && diff === undefined);
  }

  #recordEnd(ref: AttemptRef, agent: string, { outcome, error }: Judgement, end: RunEnd | null): void {
    const { project, task, attempt } = ref;
    const quota = outcome === 'completed' ? undefined : end?.quota;
    const retryAt = this.#retryAtAfter(ref, outcome, quota);
    if (quota) this.#options.onQuota(agent, quota);
    if (outcome !== 'parked') this.#options.cancelQuestions(ref, `the attempt has ended: ${outcome}`);
    this.#options.decide({
      type: 'attempt.ended',
      project,
      task,
      attempt,
      agent,
      outcome,
      error: error === undefined ? undefined : cutToJsonBytes(error, MAX_ERROR_BYTES),
      exit_code: end?.result.kind === 'exited' ? end.result.code : undefined,
      signal: end?.result.kind === 'signalled' ? end.result.signal : undefined,
      stderr_tail: end?.stderrTail,
      peak_memory_bytes: end?.peakMemoryBytes,
      cpu_ms: end?.cpuMs,
      usage: recordedUsage(end?.usage, this.#options.prices),
      session: end?.session === null ? '' : end?.session,
      evidence: end?.evidence,
      transcript: end?.transcript,
      retry_at_ms: retryAt,
    });
  }
}
