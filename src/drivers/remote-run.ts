/** One attempt of a remote agent: from its job in the queue to its end, by its result, its worker's silence, or a stop. */
import { deferred } from '../base/deferred.ts';
import type { Clock } from '../base/environment.ts';
import { SignalboxError } from '../contracts/errors.ts';
import type { AttemptRef } from '../contracts/ids.ts';
import { NotBegun, type Run, type RunEnd, type RunRequest, type RunStart } from './driver.ts';

/** The queue of one agent. */
export interface WorkQueue {
  /** Stores the job; does nothing if it is stored already. @throws SignalboxError `spawn_failed` */
  put(request: RunRequest, expiresAt: number): Promise<void>;
  /** Removes the job, even if a worker holds it. Never rejects: the worker that takes a job that stays is refused. */
  remove(attempt: AttemptRef): Promise<void>;
  /** Tells the workers to stop it. The message may get lost. */
  cancel(attempt: AttemptRef, graceMs: number): void;
}

/** The worker that takes a job. */
export interface JobTaker {
  readonly id: string;
  readonly pid?: number | undefined;
}

export interface RemoteDriverOptions {
  readonly queue: WorkQueue;
  readonly clock: Clock;
  /** Milliseconds that a job may wait for a worker. */
  readonly queueMs: number;
  /** Milliseconds beyond the grace until a stop that no worker confirms counts as done. */
  readonly confirmMs: number;
  /** Called with each worker that turns out to hold a run. */
  readonly onTaken: (worker: string) => void;
}

export type Taken =
  /** It may begin, or it has begun already. */
  | { readonly kind: 'granted' }
  | { readonly kind: 'taken'; readonly by: string }
  /** The attempt is not open. */
  | { readonly kind: 'unknown' };

export class RemoteRun {
  readonly #begun = deferred<Run>();
  readonly begun = this.#begun.promise;
  readonly #ended = deferred<RunEnd>();
  readonly #attempt: AttemptRef;
  readonly #options: RemoteDriverOptions;
  readonly #forget: () => void;
  #worker: JobTaker | null = null;
  #signAt: number;
  /** Whether it was asked to end, or is over. */
  isStopping = false;
  #cancelTimer: () => void = () => {};
  #isClosed = false;

  constructor(attempt: AttemptRef, options: RemoteDriverOptions, forget: () => void) {
    this.#attempt = attempt;
    this.#options = options;
    this.#forget = forget;
    this.#signAt = options.clock.now();
    // A rejection reaches `start`; without a `start` that waits, it must not count as unhandled.
    this.begun.catch(() => {});
  }

  get isBegun(): boolean {
    return this.#worker !== null;
  }

  get worker(): string | undefined {
    return this.#worker?.id;
  }

  awaitWorker(expiresAt: number): void {
    if (this.isBegun || this.isStopping) return;
    const { clock, queueMs } = this.#options;
    const late = (): void => this.giveBack(`no worker has begun it within ${queueMs / 1_000} s`);
    this.#setTimer(expiresAt - clock.now(), late);
  }

  take(worker: JobTaker): Taken {
    if (this.#worker !== null) {
      if (this.#worker.id !== worker.id) return { kind: 'taken', by: this.#worker.id };
      this.noteSign();
      return { kind: 'granted' };
    }
    if (this.isStopping) return { kind: 'unknown' };
    this.#cancelTimer();
    this.#begin(worker);
    return { kind: 'granted' };
  }

  /** Its start is in the log already. */
  resume(worker: JobTaker): void {
    if (this.#worker === null) this.#begin(worker);
  }

  noteSign(): void {
    this.#signAt = this.#options.clock.now();
  }

  finish(end: RunEnd): void {
    this.#end();
    this.#ended.resolve(end);
  }

  fail(reason: string): void {
    this.#refuse(new SignalboxError('spawn_failed', reason));
  }

  giveBack(reason: string): void {
    this.#refuse(new NotBegun(reason));
  }

  close(): void {
    this.#cancelTimer();
    this.#isClosed = true;
  }

  #refuse(error: Error): void {
    if (this.isBegun || this.isStopping) return;
    this.#end();
    this.#begun.reject(error);
  }

  lose(reason: string): void {
    this.finish({ result: { kind: 'lost', reason }, outputs: [] });
  }

  withdraw(): void {
    if (this.isBegun) return;
    this.isStopping = true;
    this.#begun.resolve(this.#run({ host: '' }));
    this.lose('it was withdrawn before a worker had begun it');
  }

  #begin(worker: JobTaker): void {
    this.#worker = worker;
    this.noteSign();
    this.#options.onTaken(worker.id);
    const { id: host, pid } = worker;
    this.#begun.resolve(this.#run(pid === undefined ? { host } : { host, pid }));
  }

  #run(start: RunStart): Run {
    return {
      start,
      ended: this.#ended.promise,
      lastSignAt: () => this.#signAt,
      stop: (graceMs) => this.#stop(graceMs),
      detach: () => this.#cancelTimer(),
    };
  }

  #stop(graceMs: number): void {
    this.isStopping = true;
    const { queue, confirmMs } = this.#options;
    queue.cancel(this.#attempt, graceMs);
    this.#setTimer(graceMs + confirmMs, () => {
      const reason = 'its worker did not confirm the stop';
      this.finish({ result: { kind: 'lost', reason }, outputs: [], evidence: { confirmed: false } });
    });
  }

  #setTimer(delayMs: number, wake: () => void): void {
    this.#cancelTimer();
    if (this.#isClosed) return;
    this.#cancelTimer = this.#options.clock.schedule(Math.max(delayMs, 0), wake);
  }

  #end(): void {
    this.isStopping = true;
    this.#cancelTimer();
    this.#forget();
    void this.#options.queue.remove(this.#attempt);
  }
}
