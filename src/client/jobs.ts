/** The plain job API: hand in a task, wait for its result. */
import type { z } from 'zod';
import type { Lru } from '../base/lru.ts';
import {
  type createJobSchema,
  type JobAnswer,
  type JobState,
  MAX_WAIT_SECONDS,
} from '../contracts/api/jobs.ts';
import { taskId } from '../contracts/ids.ts';
import type { Caller } from './caller.ts';

export type NewJob = z.input<typeof createJobSchema>;

/** A failed job may be tried again by an operator; these stay as they are. */
const FINAL: ReadonlySet<JobState> = new Set(['completed', 'cancelled']);
const SETTLED: ReadonlySet<JobState> = new Set([...FINAL, 'failed']);

export class JobsClient {
  readonly #caller: Caller;
  readonly #finished: Lru<string, JobAnswer>;

  /** @param finished jobs that will not change any more: they are not asked for again */
  constructor(caller: Caller, finished: Lru<string, JobAnswer>) {
    this.#caller = caller;
    this.#finished = finished;
  }

  /** @param idempotencyKey makes it safe to send the job again, which the client then does by itself */
  async create(job: NewJob, idempotencyKey?: string): Promise<JobAnswer> {
    const headers = { 'idempotency-key': idempotencyKey };
    const request = { method: 'POST', body: job, headers } as const;
    return (await this.#caller.call('/tasks', request, idempotencyKey !== undefined)).body as JobAnswer;
  }

  async get(id: string): Promise<JobAnswer> {
    return this.#finished.get(id) ?? this.#read(id, 0);
  }

  /** The job, once it is completed, failed or cancelled. The server is asked to wait, again and again. */
  async settled(id: string): Promise<JobAnswer> {
    for (let job = await this.get(id); ; job = await this.#read(id, MAX_WAIT_SECONDS)) {
      if (SETTLED.has(job.status)) return job;
    }
  }

  async cancel(id: string): Promise<JobAnswer> {
    // Cancelled twice is cancelled: it may be repeated.
    const { body } = await this.#caller.call(pathOf(id), { method: 'DELETE' }, true);
    return this.#keep(body as JobAnswer);
  }

  async #read(id: string, wait: number): Promise<JobAnswer> {
    const path = wait === 0 ? pathOf(id) : `${pathOf(id)}?wait=${wait}`;
    const { body } = await this.#caller.call(path, { method: 'GET' }, true, wait * 1_000);
    return this.#keep(body as JobAnswer);
  }

  #keep(job: JobAnswer): JobAnswer {
    if (FINAL.has(job.status)) this.#finished.set(job.task_id, job);
    return job;
  }
}

function pathOf(id: string): string {
  return `/tasks/${taskId(id)}`;
}
