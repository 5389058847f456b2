/**
 * A worker of a remote agent: takes jobs from the agent's queue, one for each slot, and runs them.
 *
 * It takes no job without a free slot. It reports regularly which attempts it works on, and is told which of them to stop:
 * by a message, and again by every answer. When it stops, it takes no new jobs, lets running ones finish for a while, gives
 * back the rest and reports that it is offline.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import type { Consumer, JsMsg } from '@nats-io/jetstream';
import { type Logger, pino } from 'pino';
import { pause, untilAborted, withLimit } from '../base/time.ts';
import { messageOf } from '../contracts/errors.ts';
import { attemptKey, checkedId } from '../contracts/ids.ts';
import {
  type AgentAnswerMessage,
  type CancelMessage,
  type Job,
  jobSchema,
  type WorkerIdentity,
} from '../contracts/messages/agent-messages.ts';
import { WORK_STREAM } from '../contracts/messages/subjects.ts';
import { VERSION } from '../version.ts';
import { type ConnectionOptions, jsonOf, WorkerConnection } from './connection.ts';
import { Files } from './files.ts';
import { JobRun, type JobRunner } from './job-run.ts';

export interface WorkerOptions extends ConnectionOptions {
  /** Jobs at the same time. Default: 1. */
  readonly concurrency?: number | undefined;
  readonly run: JobRunner;
  readonly logger?: Logger | undefined;
}

/** How long one request for a job waits. */
const PULL_MS = 2_000;
const PULL_AGAIN_MS = 500;
const FIRST_HEARTBEAT_MS = 5_000;
/** How long beyond every grace a stopping worker has to report on its jobs. */
const MAX_LAST_REPORTS_MS = 6_000;

export class Worker {
  readonly identity: WorkerIdentity;
  readonly #options: WorkerOptions;
  readonly #logger: Logger;
  readonly #runs = new Map<string, JobRun>();
  readonly #slots: Promise<void>[] = [];
  readonly #files: Files;
  readonly #connection: WorkerConnection;
  #heartbeatMs = FIRST_HEARTBEAT_MS;
  #heartbeat: NodeJS.Timeout | undefined;
  readonly #stopping = new AbortController();
  #stopped: Promise<void> | null = null;
  #count = 0;

  private constructor(
    options: WorkerOptions,
    connection: WorkerConnection,
    identity: WorkerIdentity,
    logger: Logger,
  ) {
    this.#options = options;
    this.#connection = connection;
    this.#logger = logger;
    this.identity = identity;
    // One for each slot.
    setMaxListeners(0, this.#stopping.signal);
    this.#files = new Files(connection, options.agent, () => `${identity.id}/${randomUUID()}`);
  }

  /**
   * Connects, announces itself, and begins to take jobs.
   * @throws SignalboxError `invalid_id`, `nats_unavailable`
   */
  static async start(options: WorkerOptions): Promise<Worker> {
    const { agent } = options;
    checkedId('agent id', agent);
    const id = `${hostname()}:${process.pid}:${randomBytes(9).toString('base64url')}`;
    const identity = { id, host: hostname(), pid: process.pid };
    const logger = (options.logger ?? pino({ level: 'silent' })).child({ agent, worker: id });
    let worker: Worker | undefined;
    const connection = await WorkerConnection.open(options, logger, {
      onAnswer: (answer) => {
        if (worker) worker.#onAnswer(answer);
      },
      onCancel: (cancel) => {
        if (worker) worker.#onCancel(cancel);
      },
      onReconnect: () => {
        if (worker) worker.#report();
      },
    });
    worker = new Worker(options, connection, identity, logger);
    worker.#begin();
    return worker;
  }

  /** How many jobs it works on. */
  get running(): number {
    return this.#runs.size;
  }

  /** Stops: running jobs get `drainMs` to finish and are then given back. Further calls wait for the same end. */
  stop(drainMs = 0): Promise<void> {
    this.#stopped ??= this.#stop(drainMs);
    return this.#stopped;
  }

  #begin(): void {
    const { concurrency = 1 } = this.#options;
    const body = { ...this.#introduction, concurrency, version: VERSION };
    this.#connection
      .ask('announce', this.#nextId(), body, FIRST_HEARTBEAT_MS)
      .then(({ ok, code, detail }) => {
        if (!ok) this.#logger.error({ code }, `Signalbox rejects this worker: ${detail}`);
      })
      .catch(() => {});
    for (let slot = 0; slot < concurrency; slot++) this.#slots.push(this.#work());
    this.#scheduleReport();
  }

  /** One slot. */
  async #work(): Promise<void> {
    const { signal } = this.#stopping;
    let consumer: Consumer | null = null;
    while (!signal.aborted) {
      try {
        consumer ??= await this.#connection.client.consumers.get(WORK_STREAM, this.#options.agent);
        const message = await this.#unlessStopping(consumer.next({ expires: PULL_MS }));
        if (message) await this.#take(message);
      } catch (error) {
        consumer = null;
        if (signal.aborted) return;
        this.#logger.debug({ err: error }, `cannot ask for a job: ${messageOf(error)}`);
        await pause(PULL_AGAIN_MS, signal);
      }
    }
  }

  /** A job that arrives after the stop has begun is given back. */
  async #unlessStopping(pulled: Promise<JsMsg | null>): Promise<JsMsg | null> {
    const { signal } = this.#stopping;
    await untilAborted(signal, (resolve) => {
      void pulled.then(resolve, resolve);
      return () => {};
    });
    if (!signal.aborted) return pulled;
    void pulled.then((message) => message?.nak()).catch(() => {});
    return null;
  }

  async #take(message: JsMsg): Promise<void> {
    if (this.#stopping.signal.aborted) return message.nak();
    const parsed = jobSchema.safeParse(jsonOf(message));
    if (!parsed.success) {
      this.#logger.error(
        { subject: message.subject },
        'discarded a job that cannot be read: update Signalbox on this machine',
      );
      return message.term();
    }
    const job = parsed.data;
    const key = keyOf(job);
    const known = this.#runs.get(key);
    if (known) return known.renew(message);
    const run = new JobRun({
      job,
      message,
      connection: this.#connection,
      files: this.#files,
      worker: this.identity,
      logger: this.#logger.child({ project: job.project, task: job.taskId, attempt: job.attempt }),
      run: this.#options.run,
      nextId: () => this.#nextId(),
    });
    this.#runs.set(key, run);
    try {
      await run.perform();
    } finally {
      this.#runs.delete(key);
    }
  }

  #onAnswer({ cancel = [], steering = [], heartbeatSeconds }: AgentAnswerMessage): void {
    for (const attempt of cancel) this.#onCancel(attempt);
    for (const { id, text, by, ...attempt } of steering)
      this.#runs.get(keyOf(attempt))?.steer({ id, text, by });
    const heartbeatMs = (heartbeatSeconds ?? 0) * 1_000;
    if (heartbeatMs === 0 || heartbeatMs === this.#heartbeatMs) return;
    this.#heartbeatMs = heartbeatMs;
    this.#scheduleReport();
  }

  #onCancel(attempt: Pick<CancelMessage, 'project' | 'taskId' | 'attempt'>): void {
    this.#runs.get(keyOf(attempt))?.stop('cancelled');
  }

  #scheduleReport(): void {
    clearInterval(this.#heartbeat);
    if (this.#stopped) return;
    this.#heartbeat = setInterval(() => this.#report(), this.#heartbeatMs);
  }

  #report(): void {
    const busy = this.#runs.size > 0 ? 'busy' : 'idle';
    this.#sendReport(this.#stopping.signal.aborted ? 'draining' : busy);
  }

  #sendReport(status: 'idle' | 'busy' | 'draining' | 'offline'): void {
    const tasks = [...this.#runs.values()].map(({ report }) => report);
    this.#connection.sendOnce('heartbeat', this.#nextId(), {
      ...this.#introduction,
      status,
      currentTask: tasks[0]?.taskId ?? null,
      tasks,
      timestamp: new Date().toISOString(),
    });
  }

  async #stop(drainMs: number): Promise<void> {
    this.#stopping.abort();
    this.#report();
    const giveBack = setTimeout(() => {
      for (const run of this.#runs.values()) run.stop('given_back');
    }, drainMs);
    const slots = Promise.all(this.#slots);
    // Without a connection nothing can be given back: Signalbox notices the silence.
    const graces = [...this.#runs.values()].map(({ job }) => job.limits.killGraceSeconds * 1_000);
    await withLimit(slots, drainMs + Math.max(0, ...graces) + MAX_LAST_REPORTS_MS, () => null);
    clearTimeout(giveBack);
    clearInterval(this.#heartbeat);
    this.#sendReport('offline');
    await this.#connection.close();
    await slots;
  }

  get #introduction(): { readonly agent: string; readonly worker: WorkerIdentity } {
    return { agent: this.#options.agent, worker: this.identity };
  }

  #nextId(): string {
    this.#count += 1;
    return `${this.identity.id}/${this.#count}`;
  }
}

function keyOf({ project, taskId, attempt }: Pick<Job, 'project' | 'taskId' | 'attempt'>): string {
  return attemptKey({ project, task: taskId, attempt });
}
