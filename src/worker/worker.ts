/**
 * A worker of a remote agent: takes jobs from the agent's queue, one a slot, and does them.
 *
 * W1 No job is taken without a free slot to do it in.
 * W2 It reports regularly what it works on, and hears what is to be stopped: by a message, and again by every answer.
 * W3 A stop takes nothing new, lets what runs finish for a while, gives back the rest, and says goodbye.
 */

import { randomBytes, randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import type { Consumer, JsMsg } from '@nats-io/jetstream';
import type { Authenticator, TlsOptions } from '@nats-io/transport-node';
import { type Logger, pino } from 'pino';
import { withLimit } from '../base/time.ts';
import { messageOf } from '../contracts/errors.ts';
import { agentId } from '../contracts/ids.ts';
import {
  type AgentAnswerMessage,
  jobSchema,
  type WorkerIdentity,
} from '../contracts/messages/agent-messages.ts';
import { WORK_STREAM } from '../contracts/messages/subjects.ts';
import { VERSION } from '../version.ts';
import { Files } from './files.ts';
import { JobRun, type JobRunner } from './job-run.ts';
import { Line } from './line.ts';

export interface WorkerOptions {
  readonly agent: string;
  /** `nats://HOST:PORT`, or several; `tls://` where the server wants that. */
  readonly servers: string | readonly string[];
  /** Of the agent's user; see `readCredentials`. */
  readonly authenticator?: Authenticator | undefined;
  readonly caFile?: string | undefined;
  /** The same and more: a certificate of one's own, TLS from the first byte on. */
  readonly tls?: TlsOptions | undefined;
  /** Jobs at the same time; 1 by default. */
  readonly concurrency?: number | undefined;
  readonly run: JobRunner;
  readonly logger?: Logger | undefined;
}

/** Milliseconds that one question for a job is open. */
const PULL_MS = 2_000;
const PULL_AGAIN_MS = 500;
const FIRST_HEARTBEAT_MS = 5_000;
/** Milliseconds beyond every grace that a stopping worker has to say what became of its jobs. */
const LAST_WORDS_MS = 6_000;

export class Worker {
  readonly identity: WorkerIdentity;
  readonly #options: WorkerOptions;
  readonly #logger: Logger;
  readonly #runs = new Map<string, JobRun>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #files: Files;
  readonly #line: Line;
  #heartbeatMs = FIRST_HEARTBEAT_MS;
  #heartbeat: NodeJS.Timeout | undefined;
  readonly #stopping = new AbortController();
  #stopped: Promise<void> | null = null;
  #count = 0;

  private constructor(options: WorkerOptions, line: Line, identity: WorkerIdentity, logger: Logger) {
    this.#options = options;
    this.#line = line;
    this.#logger = logger;
    this.identity = identity;
    // As many as there are slots.
    setMaxListeners(0, this.#stopping.signal);
    this.#files = new Files(line, options.agent, () => `${identity.id}/${randomUUID()}`);
  }

  /**
   * Connects, says that it is there, and begins to take jobs.
   * @throws SignalboxError `invalid_id`, `nats_unavailable`
   */
  static async start(options: WorkerOptions): Promise<Worker> {
    agentId(options.agent);
    const identity = {
      id: `${hostname()}:${process.pid}:${randomBytes(9).toString('base64url')}`,
      host: hostname(),
      pid: process.pid,
    };
    const logger = (options.logger ?? pino({ level: 'silent' })).child({
      agent: options.agent,
      worker: identity.id,
    });
    let worker: Worker | undefined;
    const line = await Line.open(
      { ...options, logger },
      {
        onAnswer: (answer) => {
          if (worker) worker.#onAnswer(answer);
        },
        onCancel: (cancel) => {
          if (worker) worker.#stopRun(cancel);
        },
        onReconnect: () => {
          if (worker) worker.#report();
        },
      },
    );
    worker = new Worker(options, line, identity, logger);
    worker.#begin();
    return worker;
  }

  /** Jobs that it works on. */
  get running(): number {
    return this.#runs.size;
  }

  /**
   * Stops in good order: what runs gets `drainMs` to finish, and is then given back. Called again, it waits for the same end.
   */
  stop(drainMs = 0): Promise<void> {
    this.#stopped ??= this.#stop(drainMs);
    return this.#stopped;
  }

  #begin(): void {
    const { concurrency = 1 } = this.#options;
    this.#line
      .ask(
        'announce',
        this.#nextId(),
        { ...this.#introduction, concurrency, version: VERSION },
        FIRST_HEARTBEAT_MS,
      )
      .then((answer) => {
        if (!answer.ok)
          this.#logger.error({ code: answer.code }, `Signalbox refuses this worker: ${answer.detail}`);
      })
      .catch(() => {});
    for (let slot = 0; slot < concurrency; slot++) this.#track(this.#work());
    this.#scheduleReport();
  }

  /** One slot. */
  async #work(): Promise<void> {
    let consumer: Consumer | null = null;
    while (!this.#stopping.signal.aborted) {
      try {
        consumer ??= await this.#line.client.consumers.get(WORK_STREAM, this.#options.agent);
        const message = await this.#unlessStopping(consumer.next({ expires: PULL_MS }));
        if (message) await this.#take(message);
      } catch (error) {
        consumer = null;
        if (this.#stopping.signal.aborted) return;
        this.#logger.debug({ err: error }, `no job can be asked for: ${messageOf(error)}`);
        await new Promise((resolve) => setTimeout(resolve, PULL_AGAIN_MS));
      }
    }
  }

  /** What comes after the stop has begun is given back. */
  async #unlessStopping(pulled: Promise<JsMsg | null>): Promise<JsMsg | null> {
    const { signal } = this.#stopping;
    let stop = (): void => {};
    const stopped = new Promise<null>((resolve) => {
      stop = () => resolve(null);
    });
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await Promise.race([pulled, stopped]);
    } finally {
      signal.removeEventListener('abort', stop);
      if (signal.aborted) void pulled.then((message) => message?.nak()).catch(() => {});
    }
  }

  async #take(message: JsMsg): Promise<void> {
    if (this.#stopping.signal.aborted) return message.nak();
    const job = jobSchema.safeParse(safeJson(message));
    if (!job.success) {
      this.#logger.error({ subject: message.subject }, 'a job cannot be understood: is this worker too old?');
      return message.term();
    }
    const { project, taskId, attempt } = job.data;
    const key = `${project}/${taskId}/${attempt}`;
    const known = this.#runs.get(key);
    if (known) return known.renew(message);
    const run = new JobRun({
      job: job.data,
      message,
      line: this.#line,
      files: this.#files,
      worker: this.identity,
      logger: this.#logger.child({ project, task: taskId, attempt }),
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

  #onAnswer({ cancel = [], heartbeatSeconds }: AgentAnswerMessage): void {
    for (const attempt of cancel) this.#stopRun(attempt);
    const heartbeatMs = (heartbeatSeconds ?? 0) * 1_000;
    if (heartbeatMs === 0 || heartbeatMs === this.#heartbeatMs) return;
    this.#heartbeatMs = heartbeatMs;
    this.#scheduleReport();
  }

  #stopRun({ project, taskId, attempt }: { project: string; taskId: string; attempt: number }): void {
    this.#runs.get(`${project}/${taskId}/${attempt}`)?.stop('cancelled');
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
    const tasks = [...this.#runs.values()].map(({ job: { project, taskId, attempt } }) => ({
      project,
      taskId,
      attempt,
    }));
    this.#line.mention('heartbeat', this.#nextId(), {
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
    const patience = setTimeout(() => {
      for (const run of this.#runs.values()) run.stop('given_back');
    }, drainMs);
    const slots = Promise.all(this.#underWay);
    // Who cannot reach Signalbox cannot give anything back: it is found out by the silence.
    const graces = [...this.#runs.values()].map(({ job }) => job.limits.killGraceSeconds * 1_000);
    await withLimit(slots, drainMs + Math.max(0, ...graces) + LAST_WORDS_MS, () => {});
    clearTimeout(patience);
    clearInterval(this.#heartbeat);
    this.#sendReport('offline');
    await this.#line.close();
    await slots;
  }

  #track(work: Promise<void>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }

  get #introduction(): { readonly agent: string; readonly worker: WorkerIdentity } {
    return { agent: this.#options.agent, worker: this.identity };
  }

  #nextId(): string {
    this.#count += 1;
    return `${this.identity.id}/${this.#count}`;
  }
}

function safeJson(message: JsMsg): unknown {
  try {
    return message.json();
  } catch {
    return null;
  }
}
