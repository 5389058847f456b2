/**
 * An agent on other machines: its jobs go into a queue, its workers take them, and what they say comes back by messages.
 * This is the supervisor's side of it.
 *
 * X1 A worker begins only when its first word about the attempt has been taken by `take`: of several workers that hold
 *    the same job (it was delivered again), one at most begins. So an attempt is started at most once.
 * X2 A run that was begun ends: by its result, by its worker's silence, or by a stop, confirmed or not.
 * X3 Whoever holds an attempt that is over is told so, as often as it asks.
 */
import { SignalboxError } from '../contracts/errors.ts';
import type { Adoption, Driver, Run, RunEnd, RunOrder, RunStart } from './driver.ts';

type Address = Pick<RunOrder, 'project' | 'task' | 'attempt'>;

/** The queue of one agent. */
export interface WorkQueue {
  /** Stores the job; does nothing where it is stored already. @throws SignalboxError `spawn_failed` */
  put(order: RunOrder, expiresAt: number): Promise<void>;
  /** Takes the job out, also where a worker holds it. Never rejects: a job that stays is refused to whoever takes it. */
  remove(attempt: Address): Promise<void>;
  /** Tells the workers to stop it. May be lost. */
  cancel(attempt: Address, graceMs: number): void;
}

/** The process that works for the agent. */
export interface Taker {
  readonly id: string;
  readonly pid?: number | undefined;
}

export interface RemoteDriverOptions {
  readonly queue: WorkQueue;
  readonly clock: { now(): number; schedule(delayMs: number, wake: () => void): () => void };
  /** Milliseconds that a job may wait for a worker. */
  readonly queueMs: number;
  /** Milliseconds after the grace, after which a stop that no worker confirms counts as done. */
  readonly confirmMs: number;
  /** Told of each worker that turns out to hold a run. */
  readonly onTaken: (worker: string) => void;
}

export type Taken =
  /** It may begin; or it has begun, and says so again. */
  | { readonly kind: 'yours' }
  | { readonly kind: 'taken'; readonly by: string }
  /** Not one of the runs that are open. */
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

  async start(order: RunOrder): Promise<Run> {
    const run = this.#runOf(order);
    const expiresAt = order.claimedAt + this.#options.queueMs;
    try {
      await this.#options.queue.put(order, expiresAt);
      // It was withdrawn meanwhile, and the job came after that.
      if (run.isStopping) void this.#options.queue.remove(order);
      run.awaitWorker(expiresAt);
      return await run.begun;
    } catch (error) {
      this.#runs.delete(keyOf(order));
      throw error;
    }
  }

  async adopt(order: RunOrder): Promise<Adoption> {
    const run = this.#runOf(order);
    if (order.startedOn !== null) run.resume({ id: order.startedOn });
    if (!run.isBegun) return { kind: 'never_started' };
    return { kind: 'running', run: await run.begun };
  }

  withdraw(attempt: Address): void {
    this.#runs.get(keyOf(attempt))?.withdraw();
  }

  /** A worker says that it begins, or that it is at work. */
  take(attempt: Address, worker: Taker): Taken {
    const run = this.#runs.get(keyOf(attempt));
    return run ? run.take(worker) : { kind: 'unknown' };
  }

  /** A worker said something of the attempt. */
  noteSign(attempt: Address): void {
    this.#runs.get(keyOf(attempt))?.noteSign();
  }

  /** The worker's result. @returns false where it is not one of the runs that are open */
  finish(attempt: Address, end: RunEnd): boolean {
    const run = this.#runs.get(keyOf(attempt));
    run?.finish(end);
    return run !== undefined;
  }

  /** The job was given to worker after worker, and none has begun it. */
  fail(attempt: Address, reason: string): void {
    this.#runs.get(keyOf(attempt))?.fail(reason);
  }

  /** The worker is gone, and with it what it was doing. */
  lose(worker: string, reason: string): void {
    for (const run of [...this.#runs.values()]) if (run.worker === worker) run.lose(reason);
  }

  /** Whether the worker holds a run. */
  holds(worker: string): boolean {
    return [...this.#runs.values()].some((run) => run.worker === worker);
  }

  /** Whether somebody has asked for its end. */
  isStopping(attempt: Address): boolean {
    return this.#runs.get(keyOf(attempt))?.isStopping === true;
  }

  #runOf(attempt: Address): RemoteRun {
    const key = keyOf(attempt);
    const known = this.#runs.get(key);
    if (known) return known;
    const run = new RemoteRun(attempt, this.#options, () => this.#runs.delete(key));
    this.#runs.set(key, run);
    return run;
  }
}

class RemoteRun {
  readonly begun: Promise<Run>;
  readonly #attempt: Address;
  readonly #options: RemoteDriverOptions;
  readonly #forget: () => void;
  readonly #ended: Promise<RunEnd>;
  #resolveBegun: (run: Run) => void = () => {};
  #rejectBegun: (error: SignalboxError) => void = () => {};
  #resolveEnded: (end: RunEnd) => void = () => {};
  #worker: Taker | null = null;
  #signAt: number;
  #isStopping = false;
  #cancelTimer: () => void = () => {};

  constructor(attempt: Address, options: RemoteDriverOptions, forget: () => void) {
    this.#attempt = attempt;
    this.#options = options;
    this.#forget = forget;
    this.#signAt = options.clock.now();
    this.begun = new Promise((resolve, reject) => {
      this.#resolveBegun = resolve;
      this.#rejectBegun = reject;
    });
    // Who waits for it is told; where nobody does yet, nothing is lost.
    this.begun.catch(() => {});
    this.#ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  get isBegun(): boolean {
    return this.#worker !== null;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  get worker(): string | undefined {
    return this.#worker?.id;
  }

  awaitWorker(expiresAt: number): void {
    if (this.isBegun || this.#isStopping) return;
    const { clock, queueMs } = this.#options;
    const late = (): void => this.fail(`no worker has begun it within ${Math.round(queueMs / 1_000)} s`);
    this.#setTimer(expiresAt - clock.now(), late);
  }

  take(worker: Taker): Taken {
    if (this.#worker !== null) {
      if (this.#worker.id !== worker.id) return { kind: 'taken', by: this.#worker.id };
      this.noteSign();
      return { kind: 'yours' };
    }
    if (this.#isStopping) return { kind: 'unknown' };
    this.#cancelTimer();
    this.#begin(worker);
    return { kind: 'yours' };
  }

  /** Its start is in the log. */
  resume(worker: Taker): void {
    if (this.#worker === null) this.#begin(worker);
  }

  noteSign(): void {
    this.#signAt = this.#options.clock.now();
  }

  finish(end: RunEnd): void {
    this.#close();
    this.#resolveEnded(end);
  }

  fail(reason: string): void {
    if (this.isBegun) return;
    this.#close();
    this.#rejectBegun(new SignalboxError('spawn_failed', reason));
  }

  lose(reason: string): void {
    this.finish({ result: { kind: 'lost', reason }, outputs: [] });
  }

  withdraw(): void {
    if (this.isBegun) return;
    this.#isStopping = true;
    this.#resolveBegun(this.#run({ host: '' }));
    this.lose('it was taken back before a worker had begun it');
  }

  #begin(worker: Taker): void {
    this.#worker = worker;
    this.noteSign();
    this.#options.onTaken(worker.id);
    const { id: host, pid } = worker;
    this.#resolveBegun(this.#run(pid === undefined ? { host } : { host, pid }));
  }

  #run(start: RunStart): Run {
    return {
      start,
      ended: this.#ended,
      lastSignAt: () => this.#signAt,
      stop: (graceMs) => this.#stop(graceMs),
      detach: () => this.#cancelTimer(),
    };
  }

  #stop(graceMs: number): void {
    this.#isStopping = true;
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
    this.#isStopping = true;
    this.#cancelTimer();
    this.#forget();
    void this.#options.queue.remove(this.#attempt);
  }
}

function keyOf({ project, task, attempt }: Address): string {
  return `${project}/${task}/${attempt}`;
}
