/**
 * An agent on other machines: its jobs go into a queue, its workers take them and report by messages. This is the
 * supervisor's side of it.
 *
 * Invariant attempts/started-at-most-once: a worker begins only after `take` has accepted its first message about the
 * attempt. If several workers hold the same job because it was delivered again, at most one of them begins.
 *
 * A run that was begun ends: by its result, by its worker's silence, or by a stop, confirmed or not. A worker that holds
 * an attempt that is over is told so whenever it asks.
 */
import { z } from 'zod';
import { deferred } from '../base/deferred.ts';
import type { Clock } from '../base/environment.ts';
import { seconds } from '../contracts/config-values.ts';
import { SignalboxError } from '../contracts/errors.ts';
import { type AttemptRef, attemptKey } from '../contracts/ids.ts';
import { commonOptions, defineDriver } from './definition.ts';
import type { Adoption, Driver, Run, RunEnd, RunRequest, RunStart } from './driver.ts';

export const remoteDriver = defineDriver({
  name: 'remote',
  schema: z
    .strictObject({
      driver: z
        .literal('remote')
        .describe('Runs on other machines: its workers take its tasks from a queue in NATS.'),
      ...commonOptions,
      heartbeat_seconds: seconds().default(10).describe('How often its workers have to report.'),
      offline_after_seconds: seconds()
        .default(60)
        .describe('How long a worker may be silent before it counts as gone and its attempts as lost.'),
      queue_seconds: seconds().default(300).describe('How long an assigned task may wait for a worker.'),
    })
    .refine(
      ({ heartbeat_seconds, offline_after_seconds }) => offline_after_seconds >= 2 * heartbeat_seconds,
      {
        path: ['offline_after_seconds'],
        message: 'expected at least two times heartbeat_seconds, so that one lost heartbeat is no loss',
      },
    ),
  create: ({ id }, { remoteDriverOf }) => {
    const driver = remoteDriverOf(id);
    if (driver) return driver;
    throw new SignalboxError('internal', `remote agent ${id} has no queue`);
  },
  listing: {
    program: 'any',
    prompt: 'job',
    session: 'none',
    output: 'message',
    description: 'an agent on other machines, through a queue in NATS',
  },
});

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

export class RemoteDriver implements Driver {
  readonly name = 'remote';
  readonly writesBack = true;
  readonly adoptable = true;
  readonly isAnnounced = true;
  readonly #options: RemoteDriverOptions;
  readonly #runs = new Map<string, RemoteRun>();

  constructor(options: RemoteDriverOptions) {
    this.#options = options;
  }

  async start(request: RunRequest): Promise<Run> {
    const run = this.#runOf(request);
    const expiresAt = request.claimedAt + this.#options.queueMs;
    try {
      await this.#options.queue.put(request, expiresAt);
      // It was withdrawn before the job was stored.
      if (run.isStopping) void this.#options.queue.remove(request);
      run.awaitWorker(expiresAt);
      return await run.begun;
    } catch (error) {
      this.#runs.delete(attemptKey(request));
      throw error;
    }
  }

  async adopt(request: RunRequest): Promise<Adoption> {
    const run = this.#runOf(request);
    if (request.startedOn !== null) run.resume({ id: request.startedOn });
    if (!run.isBegun) return { kind: 'never_started' };
    return { kind: 'running', run: await run.begun };
  }

  withdraw(attempt: AttemptRef): void {
    this.#runs.get(attemptKey(attempt))?.withdraw();
  }

  /** A worker reports that it begins, or that it is at work. */
  take(attempt: AttemptRef, worker: JobTaker): Taken {
    const run = this.#runs.get(attemptKey(attempt));
    return run ? run.take(worker) : { kind: 'unknown' };
  }

  /** A worker sent a message about the attempt. */
  noteSign(attempt: AttemptRef): void {
    this.#runs.get(attemptKey(attempt))?.noteSign();
  }

  /** The worker's result. @returns false if the attempt is not open */
  finish(attempt: AttemptRef, end: RunEnd): boolean {
    const run = this.#runs.get(attemptKey(attempt));
    run?.finish(end);
    return run !== undefined;
  }

  /** The job was delivered to worker after worker, and none has begun it. */
  fail(attempt: AttemptRef, reason: string): void {
    this.#runs.get(attemptKey(attempt))?.fail(reason);
  }

  /** The worker is gone, and its runs are lost. */
  lose(worker: string, reason: string): void {
    for (const run of [...this.#runs.values()]) if (run.worker === worker) run.lose(reason);
  }

  /** Whether the worker holds a run. */
  holds(worker: string): boolean {
    return [...this.#runs.values()].some((run) => run.worker === worker);
  }

  /** Whether it was asked to end. */
  isStopping(attempt: AttemptRef): boolean {
    return this.#runs.get(attemptKey(attempt))?.isStopping === true;
  }

  #runOf(attempt: AttemptRef): RemoteRun {
    const key = attemptKey(attempt);
    const known = this.#runs.get(key);
    if (known) return known;
    const run = new RemoteRun(attempt, this.#options, () => this.#runs.delete(key));
    this.#runs.set(key, run);
    return run;
  }
}

class RemoteRun {
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
    const late = (): void => this.fail(`no worker has begun it within ${Math.round(queueMs / 1_000)} s`);
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
    this.#close();
    this.#ended.resolve(end);
  }

  fail(reason: string): void {
    if (this.isBegun) return;
    this.#close();
    this.#begun.reject(new SignalboxError('spawn_failed', reason));
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
    this.#cancelTimer = this.#options.clock.schedule(Math.max(delayMs, 0), wake);
  }

  #close(): void {
    this.isStopping = true;
    this.#cancelTimer();
    this.#forget();
    void this.#options.queue.remove(this.#attempt);
  }
}
