/**
 * Whether an agent still asks for the answers to its questions: with an open request, with one at least every so often
 * (`keepaliveMs`), or as a program whose driver passes the question on and which waits by itself. An attempt for which nothing
 * asks waits no longer: its time counts again, so a process that was killed while it waited suspends no deadline for ever.
 * The question stays open, and the attempt waits again as soon as it asks for the answer.
 *
 * Requests to an earlier Signalbox are not known: after a start, each open question counts as asked for then.
 */

import type { AttemptContext } from '../../../../machines/attempt.ts';
import { type AttemptRef, attemptKey } from '../../../contracts/ids.ts';
import type { SupervisorContext } from '../supervisor-context.ts';

interface Waiter {
  /** Requests that wait now. */
  requests: number;
  /** Epoch milliseconds of the end of the last request. */
  askedForAt: number;
  /** Whether the program of the attempt waits by itself. */
  isProgram: boolean;
}

/** Milliseconds until what could not be decided is tried again. */
const RETRY_MS = 10_000;

export class Attendance {
  readonly #context: SupervisorContext;
  /** By attempt and question. */
  readonly #waiters = new Map<string, Map<string, Waiter>>();

  constructor(context: SupervisorContext) {
    this.#context = context;
  }

  /** The agent asks for the answer. @returns to be called when it waits no longer */
  begin(ref: AttemptRef, question: string): () => void {
    const isOpen = this.#entityOf(ref)?.context.questions.includes(question) ?? false;
    if (!isOpen) return () => {};
    const waiter = this.#waiterOf(ref, question);
    waiter.requests += 1;
    this.#resume(ref);
    return () => {
      waiter.requests -= 1;
      waiter.askedForAt = this.#context.environment.clock.now();
      this.check(ref);
    };
  }

  /** The program of the attempt asks by its driver, and waits by itself. */
  hold(ref: AttemptRef, question: string): void {
    this.#waiterOf(ref, question).isProgram = true;
  }

  forget(ref: AttemptRef, question: string): void {
    this.#waiters.get(attemptKey(ref))?.delete(question);
  }

  /** The attempt is over. */
  forgetAll(ref: AttemptRef): void {
    this.#waiters.delete(attemptKey(ref));
    this.#context.timers.cancel(`attendance:${attemptKey(ref)}`);
  }

  /** Ends the wait of an attempt if nothing asks for its answers any more; otherwise looks again when that may be so. */
  check(ref: AttemptRef): void {
    const { roster, timers, environment } = this.#context;
    const { state, context } = this.#entityOf(ref) ?? {};
    const keepaliveMs = roster.get(context?.agent ?? '')?.questions?.keepaliveMs;
    if (state !== 'waiting' || !context || keepaliveMs === undefined) return;
    const waiters = context.questions.map((question) => this.#waiterOf(ref, question));
    // The end of a request looks again.
    if (waiters.some(({ requests, isProgram }) => requests > 0 || isProgram)) return;
    const at = Math.max(...waiters.map(({ askedForAt }) => askedForAt)) + keepaliveMs;
    const now = environment.clock.now();
    const later = (ms: number): void =>
      timers.set(`attendance:${attemptKey(ref)}`, ms, () => this.check(ref));
    if (now < at) later(at);
    else if (!this.#endWait(ref, context, keepaliveMs)) later(now + RETRY_MS);
  }

  /** @returns whether it is decided */
  #endWait(
    { project, task, attempt }: AttemptRef,
    { waitingSince, deadline }: AttemptContext,
    keepaliveMs: number,
  ): boolean {
    const now = this.#context.environment.clock.now();
    const refusal = this.#context.decide({
      type: 'attempt.wait_ended',
      project,
      task,
      attempt,
      reason: `nothing of the agent has asked for an answer for ${keepaliveMs / 1_000} s`,
      deadline_ms: Math.round((deadline ?? now) + Math.max(0, now - (waitingSince ?? now))),
    });
    return refusal === null;
  }

  #resume({ project, task, attempt }: AttemptRef): void {
    const { state, context } = this.#entityOf({ project, task, attempt }) ?? {};
    if ((state !== 'running' && state !== 'suspected') || context?.verdict !== null) return;
    const waiting_since_ms = this.#context.environment.clock.now();
    this.#context.decide({ type: 'attempt.wait_resumed', project, task, attempt, waiting_since_ms });
  }

  #entityOf(ref: AttemptRef) {
    return this.#context.host.get('attempt', attemptKey(ref));
  }

  #waiterOf(ref: AttemptRef, question: string): Waiter {
    const key = attemptKey(ref);
    const ofAttempt = this.#waiters.get(key) ?? new Map<string, Waiter>();
    this.#waiters.set(key, ofAttempt);
    const waiter = ofAttempt.get(question) ?? {
      requests: 0,
      askedForAt: this.#context.environment.clock.now(),
      isProgram: false,
    };
    ofAttempt.set(question, waiter);
    return waiter;
  }
}
