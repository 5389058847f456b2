/**
 * The clock of runs that are watched: their deadline, their silence, and how long they stay after their word.
 *
 * E3 A deadline is the one in the log, also after a restart.
 * E4 Nothing is stopped for silence that was not suspected for half of the time before (A3 of machines/attempt.ts),
 *    whatever the clock did meanwhile. What happened while nobody watched is not held against a run.
 * E5 Once the agent has given its word, only its staying counts.
 * E6 A run that is not watched any more has no timer.
 */

import type { Clock } from '../../base/environment.ts';
import type { DomainEvent } from '../../contracts/events/events.ts';
import type { StopReason } from '../../contracts/tasks.ts';
import type { Run } from '../../drivers/driver.ts';
import type { TimerQueue } from '../runtime/timer-queue.ts';
import { type AttemptAddress, attemptKey } from './attempt-address.ts';

export interface AttemptClockOptions {
  readonly timers: TimerQueue;
  readonly clock: Clock;
  /** The state of an open attempt; undefined where it is over. */
  readonly stateOf: (attempt: AttemptAddress) => string | undefined;
  readonly requestStop: (attempt: AttemptAddress, reason: StopReason) => void;
  readonly decide: (event: DomainEvent) => void;
}

/** Milliseconds. */
export interface Patience {
  /** Without a sign of life; absent where silence alone stops nothing. */
  readonly silenceMs: number | undefined;
  /** After the agent's word. */
  readonly lingerMs: number;
}

interface Watched {
  readonly run: Run;
  readonly patience: Patience;
  /** Epoch milliseconds of its newest word or heartbeat, or of the beginning of the watch. */
  signAt: number;
  suspectedAt: number;
}

export class AttemptClock {
  readonly #options: AttemptClockOptions;
  readonly #watched = new Map<string, Watched>();

  constructor(options: AttemptClockOptions) {
    this.#options = options;
  }

  watch(attempt: AttemptAddress, run: Run, patience: Patience): void {
    const now = this.#options.clock.now();
    this.#watched.set(attemptKey(attempt), { run, patience, signAt: now, suspectedAt: now });
  }

  /** Its start is in the log, with the deadline that was set then. */
  onStarted(attempt: AttemptAddress, deadline: number): void {
    const key = attemptKey(attempt);
    if (!this.#watched.has(key)) return;
    const { timers, requestStop } = this.#options;
    timers.set(`timeout:${key}`, deadline, () => requestStop(attempt, 'timeout'));
    this.#lookAtSilence(attempt);
  }

  /** The agent has given its word; its process may stay for a moment, not for ever. */
  onVerdict(attempt: AttemptAddress): void {
    const key = attemptKey(attempt);
    const watched = this.#watched.get(key);
    if (!watched) return;
    const { timers, clock, requestStop } = this.#options;
    timers.cancel(`timeout:${key}`);
    timers.cancel(`silence:${key}`);
    const at = clock.now() + watched.patience.lingerMs;
    timers.set(`linger:${key}`, at, () => requestStop(attempt, 'lingering'));
  }

  /** The agent gave a sign of life. One that was suspected is trusted again. */
  noteSign(attempt: AttemptAddress, evidence: string): void {
    const watched = this.#watched.get(attemptKey(attempt));
    if (!watched) return;
    watched.signAt = this.#options.clock.now();
    if (this.#options.stateOf(attempt) === 'suspected') this.#trust(attempt, evidence);
  }

  forget(attempt: AttemptAddress): void {
    const key = attemptKey(attempt);
    this.#watched.delete(key);
    for (const kind of ['timeout', 'silence', 'linger']) this.#options.timers.cancel(`${kind}:${key}`);
  }

  clear(): void {
    this.#watched.clear();
  }

  /** Suspects after half of the silence that is allowed, and stops after the whole. */
  #lookAtSilence(attempt: AttemptAddress): void {
    const watched = this.#watched.get(attemptKey(attempt));
    const allowed = watched?.patience.silenceMs;
    if (!watched || allowed === undefined) return;
    const { clock, timers, stateOf, requestStop } = this.#options;
    const now = clock.now();
    const printedAt = watched.run.lastSignAt();
    const lastSignAt = Math.max(printedAt, watched.signAt);
    const isSilent = now - lastSignAt >= allowed / 2;
    const state = stateOf(attempt);
    if (state === 'running' && isSilent) {
      watched.suspectedAt = now;
      this.#suspect(attempt, now - lastSignAt);
    } else if (state === 'suspected' && !isSilent) {
      this.#trust(attempt, printedAt === lastSignAt ? 'output' : 'Signalbox was restarted meanwhile');
    }
    const stopAt = Math.max(lastSignAt + allowed, watched.suspectedAt + allowed / 2);
    if (isSilent && now >= stopAt) return requestStop(attempt, 'silence');
    const next = isSilent ? stopAt : lastSignAt + allowed / 2;
    timers.set(`silence:${attemptKey(attempt)}`, next, () => this.#lookAtSilence(attempt));
  }

  #suspect({ project, task, attempt }: AttemptAddress, silentMs: number): void {
    const reason = `no output and no heartbeat for ${Math.round(silentMs / 1_000)} s`;
    this.#options.decide({ type: 'attempt.suspected', project, task, attempt, reason });
  }

  #trust({ project, task, attempt }: AttemptAddress, evidence: string): void {
    this.#options.decide({ type: 'attempt.recovered', project, task, attempt, evidence });
  }
}
