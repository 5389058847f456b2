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
import { seconds } from '../contracts/config-values.ts';
import { SignalboxError } from '../contracts/errors.ts';
import { type AttemptRef, attemptKey } from '../contracts/ids.ts';
import { commonOptions, defineDriver } from './definition.ts';
import type { Adoption, Driver, Run, RunEnd, RunRequest } from './driver.ts';
import { type JobTaker, type RemoteDriverOptions, RemoteRun, type Taken } from './remote-run.ts';

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
      queue_seconds: seconds()
        .default(300)
        .describe(
          'How long an assigned task may wait for a worker, before it goes back to its queue. This uses up no attempt.',
        ),
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

  /** No worker is there: what none has begun goes back to the queue of the agent. */
  giveBack(reason: string): void {
    for (const run of [...this.#runs.values()]) run.giveBack(reason);
  }

  /** Forgets the timers of all runs: begun or not, they belong to the next Signalbox. */
  close(): void {
    for (const run of this.#runs.values()) run.close();
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
