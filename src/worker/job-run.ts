/**
 * One job in the hands of a worker.
 *
 * R1 Nothing is begun before Signalbox has answered that this worker may: another may hold the same job.
 * R2 The job stays this worker's as long as it says so (in progress); it is given back where it cannot be begun now, and
 *    done with when its result is stored.
 * R3 A run that is to end (a cancellation, its time, a stale word, the stop of the worker) is told by its signal, and gets
 *    its grace. Then its end is reported, whether it has come or not.
 */
import type { JsMsg } from '@nats-io/jetstream';
import type { Logger } from 'pino';
import { messageOf } from '../contracts/errors.ts';
import {
  type AgentMessageInput,
  type Job,
  MAX_TEXT,
  type WorkerIdentity,
} from '../contracts/messages/agent-messages.ts';
import type { LogStream, OUTPUT_TYPES } from '../contracts/tasks.ts';
import type { Files } from './files.ts';
import type { Line, Said } from './line.ts';

/** An output as it is handed in; what is too large for a message is sent as a file. */
export interface JobOutput {
  readonly outputType?: (typeof OUTPUT_TYPES)[number] | undefined;
  readonly title: string;
  readonly content: string;
  readonly summary?: string | undefined;
}

export interface JobEnd
  extends Omit<AgentMessageInput<'result'>, 'id' | 'type' | 'content' | 'metadata' | keyof Address> {
  readonly content: readonly JobOutput[];
}

type Address = Pick<AgentMessageInput<'result'>, 'project' | 'taskId' | 'attempt' | 'token' | 'worker'>;

export interface JobContext {
  readonly job: Job;
  /** The parameters of the task's action. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Aborted when the attempt is to end; its reason is a {@link StopReason}. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Says how it goes. Like all that follows, it returns when it is stored. */
  progress(detail: string): Promise<void>;
  output(output: JobOutput): Promise<void>;
  comment(body: string): Promise<void>;
  /** A piece of what the attempt's process has printed. */
  log(stream: LogStream, offset: number, bytes: Uint8Array): Promise<void>;
}

/** Must not reject; where it does, the attempt has failed with that. */
export type JobRunner = (context: JobContext) => Promise<JobEnd>;

/** Why a run is to end before it has come to its end. */
export type StopReason = 'cancelled' | 'timed_out' | 'given_back';

export interface JobRunOptions {
  readonly job: Job;
  readonly message: JsMsg;
  readonly line: Line;
  readonly files: Files;
  readonly worker: WorkerIdentity;
  readonly logger: Logger;
  readonly run: JobRunner;
  /** Unique for this worker. */
  readonly nextId: () => string;
}

/** Milliseconds that Signalbox has to answer, before it is asked again. */
const ANSWER_MS = 5_000;
/** Milliseconds after the end of its time that a run has until its own worker ends it: Signalbox goes first. */
const TIMEOUT_MARGIN_MS = 2_000;
const GIVE_BACK_MS = 2_000;

export class JobRun {
  readonly #options: JobRunOptions;
  readonly #stop = new AbortController();
  #message: JsMsg;
  #startedAt = 0;

  constructor(options: JobRunOptions) {
    this.#options = options;
    this.#message = options.message;
  }

  get job(): Job {
    return this.#options.job;
  }

  /** The job was delivered again, to the worker that has it. */
  renew(message: JsMsg): void {
    this.#message = message;
    message.working();
  }

  /** Asks the run to end. The first reason counts. */
  stop(reason: StopReason): void {
    if (!this.#stop.signal.aborted) this.#stop.abort(reason);
  }

  /** Does the job, from the question whether it may be begun to its result. Never rejects. */
  async perform(): Promise<void> {
    const { job, logger } = this.#options;
    const stillHere = setInterval(() => this.#message.working(), job.limits.heartbeatSeconds * 1_000);
    try {
      if (!(await this.#mayBegin())) return;
      this.#startedAt = Date.now();
      const end = await this.#runToItsEnd();
      await this.#report(end);
      this.#message.ack();
    } catch (error) {
      // Only a line that is closed ends here: then nobody is to be told any more.
      logger.warn({ err: error }, `the attempt is left as it is: ${messageOf(error)}`);
    } finally {
      clearInterval(stillHere);
    }
  }

  async #mayBegin(): Promise<boolean> {
    const { job, line, logger, nextId } = this.#options;
    if (this.#stop.signal.aborted) {
      this.#message.nak(GIVE_BACK_MS);
      return false;
    }
    if (Date.parse(job.metadata.expireAt) < Date.now()) {
      logger.warn('the job has waited too long: it is not begun');
      this.#message.term();
      return false;
    }
    const answer = await line.ask('status', nextId(), { ...this.#address, status: 'working' }, ANSWER_MS);
    if (answer.ok) return true;
    logger.warn({ code: answer.code }, `the job is not begun: ${answer.detail}`);
    this.#message.term();
    return false;
  }

  async #runToItsEnd(): Promise<JobEnd> {
    const { job, run, logger } = this.#options;
    const { signal } = this.#stop;
    const timeoutMs = job.limits.timeoutSeconds * 1_000 + TIMEOUT_MARGIN_MS;
    const timeout = setTimeout(() => this.stop('timed_out'), Math.min(timeoutMs, 2 ** 31 - 1));
    const patience = this.#patience();
    try {
      const ran = run(this.#context()).catch(
        (thrown: unknown): JobEnd => ({ status: 'failed', error: messageOf(thrown), content: [] }),
      );
      const end = await Promise.race([ran, patience.over]);
      if (end === null) {
        logger.warn('the handler goes on although it was asked to end');
        return { status: reasonOf(signal), error: 'it did not end within its grace', content: [] };
      }
      return signal.aborted && end.status !== 'completed' ? { ...end, status: reasonOf(signal) } : end;
    } finally {
      clearTimeout(timeout);
      patience.cancel();
    }
  }

  /** Resolves with null when the grace after a stop is over, with some time to look for what is left. */
  #patience(): { readonly over: Promise<null>; readonly cancel: () => void } {
    const { signal } = this.#stop;
    const graceMs = this.job.limits.killGraceSeconds * 1_000 + TIMEOUT_MARGIN_MS;
    let timer: NodeJS.Timeout | undefined;
    let cancel = (): void => {};
    const over = new Promise<null>((resolve) => {
      const begin = (): void => {
        timer = setTimeout(() => resolve(null), graceMs);
      };
      cancel = () => {
        signal.removeEventListener('abort', begin);
        clearTimeout(timer);
      };
      if (signal.aborted) begin();
      else signal.addEventListener('abort', begin, { once: true });
    });
    return { over, cancel };
  }

  async #report(end: JobEnd): Promise<void> {
    const { line, files, nextId } = this.#options;
    const content = [];
    for (const output of end.content) content.push(await files.outputOf(output));
    const now = Date.now();
    await line.store('result', nextId(), {
      ...end,
      ...this.#address,
      error: end.error?.slice(0, MAX_TEXT),
      content,
      metadata: { completedAt: new Date(now).toISOString(), duration: now - this.#startedAt },
    });
  }

  #context(): JobContext {
    const { job, logger, files } = this.#options;
    return {
      job,
      logger,
      params: job.content.params,
      signal: this.#stop.signal,
      progress: (detail) => this.#say('status', { ...this.#address, status: 'working', detail }),
      output: async (output) => this.#say('output', { ...this.#address, ...(await files.outputOf(output)) }),
      comment: (body) => this.#say('comment', { ...this.#address, body }),
      log: (stream, offset, bytes) =>
        this.#say('log', {
          ...this.#address,
          stream,
          offset,
          data: Buffer.from(bytes).toString('base64'),
        }),
    };
  }

  #say<Kind extends 'status' | 'output' | 'comment' | 'log'>(kind: Kind, said: Said<Kind>): Promise<void> {
    const { line, nextId } = this.#options;
    return line.store(kind, nextId(), said);
  }

  get #address(): Required<Address> {
    const { job, worker } = this.#options;
    return { project: job.project, taskId: job.taskId, attempt: job.attempt, token: job.token, worker };
  }
}

function reasonOf(signal: AbortSignal): StopReason {
  return signal.reason as StopReason;
}
