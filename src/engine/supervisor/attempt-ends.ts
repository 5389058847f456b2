/**
 * Records how attempts ended: what they brought, how that is judged, and when the next one is due.
 *
 * N1 The end of an attempt always fits in an event and is never refused for its size: no attempt stays open for it.
 * N2 When the next attempt is due is drawn once and stands in the event: a restart does not draw again.
 */
import type { Projections } from '../../../projections/index.ts';
import type { Environment } from '../../base/environment.ts';
import type { SignalboxError } from '../../contracts/errors.ts';
import type { DomainEvent } from '../../contracts/events/events.ts';
import type { Output } from '../../contracts/tasks.ts';
import type { RunEnd } from '../../drivers/driver.ts';
import type { QuotaSign } from '../../drivers/quota.ts';
import type { ActorHost } from '../runtime/actor-host.ts';
import { type AttemptAddress, attemptKey } from './attempt-address.ts';
import { backoffMs } from './backoff.ts';
import { type Judgement, judge } from './outcome.ts';
import { verdictIn } from './verdict.ts';

export interface AttemptEndsOptions {
  readonly host: ActorHost;
  readonly projections: Projections;
  readonly environment: Environment;
  /** @returns why it was refused; null where it was decided */
  readonly decide: (event: DomainEvent, actor: string) => SignalboxError | null;
  /** An attempt that has not completed said that its agent's quota is used up; its end is recorded next. */
  readonly onQuota: (agent: string, sign: QuotaSign) => void;
}

/** States in which the end of the attempt decides where the task goes. */
export const ACTIVE_STATES: ReadonlySet<string> = new Set(['claimed', 'working', 'review']);

/** Characters of an error that are recorded. */
const MAX_ERROR = 20_000;

export class AttemptEnds {
  readonly #options: AttemptEndsOptions;

  constructor(options: AttemptEndsOptions) {
    this.#options = options;
  }

  /** The run is over. Does nothing for an attempt that is not open. */
  record(address: AttemptAddress, agent: string, end: RunEnd): void {
    const { host, decide } = this.#options;
    const { project, task, attempt } = address;
    const entity = host.get('attempt', attemptKey(address));
    if (!entity) return;
    const counted = this.#countedOutputs(address, end.outputs);
    const [refusal] = counted.flatMap(
      (output) =>
        decide({ type: 'task.output_added', project, task, attempt, output }, `agent:${agent}`) ?? [],
    );
    const context = host.get('task', `${project}/${task}`)?.context;
    const hasOutput = context !== undefined && (!context.outputsRequired || context.outputs > 0);
    const judgement = this.#judgedReview(
      address,
      counted,
      judge(end.result, entity.context, hasOutput || refusal !== undefined, end.failure),
    );
    const isCut = refusal !== undefined && judgement.outcome === 'completed';
    const error = `its output was refused: ${refusal?.message}`;
    this.#decideEnd(address, agent, isCut ? { outcome: 'failed', error } : judgement, end);
  }

  /** A review that comes to no verdict has failed, however well its process ended. */
  #judgedReview(
    { project, task }: AttemptAddress,
    added: readonly Output[],
    judgement: Judgement,
  ): Judgement {
    const view = this.#options.projections.blackboard.tasks.get(`${project}/${task}`);
    if (view?.spec.reviews === undefined || judgement.outcome !== 'completed') return judgement;
    // One that is blocked waits for a person: it has no verdict yet.
    if (view.state === 'blocked' || verdictIn([...view.outputs, ...added])) return judgement;
    return { outcome: 'failed', error: 'it came to no verdict: it neither approved nor rejected' };
  }

  /** There never was a run. */
  recordUnstarted(attempt: AttemptAddress, agent: string, error: string): void {
    this.#decideEnd(attempt, agent, { outcome: 'spawn_failed', error }, null);
  }

  /** Epoch milliseconds of the next attempt; null where none is left, or the task has left this one behind already. */
  retryAt(project: string, task: string): number | null {
    const entity = this.#options.host.get('task', `${project}/${task}`);
    const spec = this.#options.projections.blackboard.tasks.get(`${project}/${task}`)?.spec;
    if (!entity || !spec || !ACTIVE_STATES.has(entity.state)) return null;
    const { context } = entity;
    if (context.attempts >= context.attemptsGranted) return null;
    const { clock, random } = this.#options.environment;
    return clock.now() + backoffMs(spec.backoff, context.attempts, random());
  }

  /** What the run itself brought counts only where the agent has posted nothing in this attempt. */
  #countedOutputs({ project, task, attempt }: AttemptAddress, outputs: readonly Output[]): readonly Output[] {
    const { host, projections } = this.#options;
    const entity = host.get('task', `${project}/${task}`);
    if (!entity || (entity.state !== 'working' && entity.state !== 'review')) return [];
    const posted = projections.blackboard.tasks.get(`${project}/${task}`)?.outputs;
    return posted?.some((output) => output.attempt === attempt) ? [] : outputs;
  }

  #decideEnd(
    { project, task, attempt }: AttemptAddress,
    agent: string,
    { outcome, error }: Judgement,
    end: RunEnd | null,
  ): void {
    const retryAt = outcome === 'completed' ? null : this.retryAt(project, task);
    const quota = outcome === 'completed' ? undefined : end?.quota;
    if (quota) this.#options.onQuota(agent, quota);
    this.#options.decide(
      {
        type: 'attempt.ended',
        project,
        task,
        attempt,
        agent,
        outcome,
        error: error?.slice(0, MAX_ERROR),
        exit_code: end?.result.kind === 'exited' ? end.result.code : undefined,
        signal: end?.result.kind === 'signalled' ? end.result.signal : undefined,
        stderr_tail: end?.stderrTail,
        peak_memory_bytes: end?.peakMemoryBytes,
        cpu_ms: end?.cpuMs,
        usage: end?.usage,
        session: end?.session === null ? '' : end?.session,
        evidence: end?.evidence,
        retry_at_ms: retryAt === null ? null : Math.max(retryAt, quota?.untilMs ?? 0),
      },
      'supervisor',
    );
  }
}
