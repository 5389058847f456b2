/**
 * The timers of watched runs: deadline, silence, and how long the process stays after the agent has reported.
 *
 * The deadline is the recorded one, also after a restart. A run is stopped for silence only after it was suspected for
 * half of the allowed time, whatever the clock did meanwhile; silence while Signalbox was not running does not count.
 * While it waits for an answer, neither counts. A user can give it more time, for both. After the agent has reported its result, only the lingering of its process counts.
 */
import type { SignalboxError } from '../../contracts/errors.ts';
import { type AttemptRef, attemptKey } from '../../contracts/ids.ts';
import type { StopReason } from '../../contracts/tasks.ts';
import type { Run } from '../../drivers/driver.ts';
import { attemptOf } from '../runtime/views.ts';
import type { SupervisorContext } from './supervisor-context.ts';

/** Milliseconds. */
export interface Patience {
  /** Without a sign of life; undefined: silence alone stops nothing. */
  readonly silenceMs: number | undefined;
  readonly lingerMs: number;
}

interface Watched {
  readonly run: Run;
  readonly patience: Patience;
  /** Epoch milliseconds of its newest message or heartbeat, or of the start of the watch. */
  signAt: number;
  suspectedAt: number;
}

export class AttemptClock {
  readonly #context: SupervisorContext;
  readonly #requestStop: (attempt: AttemptRef, reason: StopReason) => void;
  readonly #watched = new Map<string, Watched>();

  constructor(context: SupervisorContext, requestStop: (attempt: AttemptRef, reason: StopReason) => void) {
    this.#context = context;
    this.#requestStop = requestStop;
  }

  watch(attempt: AttemptRef, run: Run, patience: Patience): void {
    const now = this.#context.environment.clock.now();
    const silentUntil = attemptOf(this.#context.projections, attempt)?.silentUntil ?? null;
    const signAt = Math.max(now, signBefore(silentUntil, patience));
    this.#watched.set(attemptKey(attempt), { run, patience, signAt, suspectedAt: now });
  }

  /** A user gave it more time. */
  onExtended(attempt: AttemptRef, deadline: number, silentUntil: number): void {
    const watched = this.#watched.get(attemptKey(attempt));
    if (!watched) return;
    watched.signAt = Math.max(watched.signAt, signBefore(silentUntil, watched.patience));
    this.onStarted(attempt, deadline);
  }

  /** Its start is stored, with this deadline. */
  onStarted(attempt: AttemptRef, deadline: number): void {
    const key = attemptKey(attempt);
    if (!this.#watched.has(key)) return;
    this.#context.timers.set(`timeout:${key}`, deadline, () => this.#requestStop(attempt, 'timeout'));
    this.#checkSilence(attempt);
  }

  /** It waits for an answer: neither its time nor its silence counts. */
  onWaiting(attempt: AttemptRef): void {
    const key = attemptKey(attempt);
    for (const kind of ['timeout', 'silence']) this.#context.timers.cancel(`${kind}:${key}`);
  }

  /** It has its answers; its deadline is later by the time that it has waited. */
  onAnswered(attempt: AttemptRef, deadline: number): void {
    const watched = this.#watched.get(attemptKey(attempt));
    if (watched) watched.signAt = this.#context.environment.clock.now();
    this.onStarted(attempt, deadline);
  }

  /** The agent has reported its result; its process may linger for a limited time. */
  onVerdict(attempt: AttemptRef): void {
    const key = attemptKey(attempt);
    const watched = this.#watched.get(key);
    if (!watched) return;
    const { timers, environment } = this.#context;
    timers.cancel(`timeout:${key}`);
    timers.cancel(`silence:${key}`);
    const at = environment.clock.now() + watched.patience.lingerMs;
    timers.set(`linger:${key}`, at, () => this.#requestStop(attempt, 'lingering'));
  }

  /** The agent gave a sign of life: a suspected attempt recovers. */
  noteSign(attempt: AttemptRef, evidence: string): void {
    const watched = this.#watched.get(attemptKey(attempt));
    if (!watched) return;
    watched.signAt = this.#context.environment.clock.now();
    if (this.#stateOf(attempt) === 'suspected') this.#recover(attempt, evidence);
  }

  /** Epoch milliseconds at which a run that stays silent is stopped; null if silence alone stops nothing. */
  silentUntil(attempt: AttemptRef): number | null {
    const watched = this.#watched.get(attemptKey(attempt));
    const state = this.#stateOf(attempt);
    if (!watched || (state !== 'running' && state !== 'suspected')) return null;
    return stopAtOf(watched, Math.max(watched.run.lastSignAt(), watched.signAt));
  }

  forget(attempt: AttemptRef): void {
    const key = attemptKey(attempt);
    this.#watched.delete(key);
    for (const kind of ['timeout', 'silence', 'linger']) this.#context.timers.cancel(`${kind}:${key}`);
  }

  clear(): void {
    this.#watched.clear();
  }

  /** Suspects a run after half of the allowed silence, and stops it after all of it. */
  #checkSilence(attempt: AttemptRef): void {
    const watched = this.#watched.get(attemptKey(attempt));
    const allowed = watched?.patience.silenceMs;
    if (!watched || allowed === undefined) return;
    const now = this.#context.environment.clock.now();
    const printedAt = watched.run.lastSignAt();
    const lastSignAt = Math.max(printedAt, watched.signAt);
    const isSilent = now - lastSignAt >= allowed / 2;
    const state = this.#stateOf(attempt);
    if (state === 'running' && isSilent) {
      if (this.#suspect(attempt, now - lastSignAt) === null) watched.suspectedAt = now;
    } else if (state === 'suspected' && !isSilent) {
      this.#recover(attempt, printedAt === lastSignAt ? 'output' : 'Signalbox was restarted meanwhile');
    }
    const stopAt = stopAtOf(watched, lastSignAt) ?? Number.POSITIVE_INFINITY;
    if (isSilent && now >= stopAt) return this.#requestStop(attempt, 'silence');
    const next = isSilent ? stopAt : lastSignAt + allowed / 2;
    this.#context.timers.set(`silence:${attemptKey(attempt)}`, next, () => this.#checkSilence(attempt));
  }

  #stateOf(attempt: AttemptRef): string | undefined {
    return this.#context.host.get('attempt', attemptKey(attempt))?.state;
  }

  /** @returns why it cannot be recorded; null if it is */
  #suspect({ project, task, attempt }: AttemptRef, silentMs: number): SignalboxError | null {
    const reason = `no output and no heartbeat for ${Math.round(silentMs / 1_000)} s`;
    return this.#context.decide({ type: 'attempt.suspected', project, task, attempt, reason });
  }

  #recover({ project, task, attempt }: AttemptRef, evidence: string): void {
    this.#context.decide({ type: 'attempt.recovered', project, task, attempt, evidence });
  }
}

/** The sign of life that would let it be silent until then. */
function signBefore(silentUntil: number | null, { silenceMs }: Patience): number {
  return silentUntil === null || silenceMs === undefined ? 0 : silentUntil - silenceMs;
}

function stopAtOf({ patience, suspectedAt }: Watched, lastSignAt: number): number | null {
  const { silenceMs } = patience;
  return silenceMs === undefined ? null : Math.max(lastSignAt + silenceMs, suspectedAt + silenceMs / 2);
}
