/**
 * One job that a worker has taken.
 *
 * Invariant attempts/started-at-most-once: nothing is begun before Signalbox has answered that this worker may, because
 * another worker may hold the same job.
 *
 * The job stays with this worker while it reports progress to the queue. It is given back if it cannot be begun now, and
 * acknowledged when its result is stored. A run that is to end (cancelled, out of time, no longer open, or the worker stops)
 * is told by its signal and gets its grace; then its end is reported, whether or not it has ended.
 */

import type { JsMsg } from '@nats-io/jetstream';
import type { Logger } from 'pino';
import { systemClock } from '../base/environment.ts';
import { cutText } from '../base/text/cut-text.ts';
import { pause, untilAborted, withLimit } from '../base/time.ts';
import type { GivenAnswerJson } from '../contracts/api/questions.ts';
import { messageOf } from '../contracts/errors.ts';
import {
  type AgentMessageInput,
  type Job,
  MAX_TEXT,
  type WorkerIdentity,
} from '../contracts/messages/agent-messages.ts';
import type { LogStream, OUTPUT_TYPES, Output } from '../contracts/tasks.ts';
import type { TranscriptFormat } from '../contracts/transcript/schemas.ts';
import type { RunMessage } from '../drivers/driver.ts';
import type { MessageBody, WorkerConnection } from './connection.ts';
import type { Files } from './files.ts';
import { askQuestion, type JobAddress, type JobQuestion, MAX_ANSWER_MS } from './job-questions.ts';
import { JobSteering, type SteeringListener } from './job-steering.ts';

/** An output of a job; if it is too large for a message, it is sent as a file. */
export interface JobOutput {
  readonly outputType?: (typeof OUTPUT_TYPES)[number] | undefined;
  readonly title: string;
  readonly content: string;
  readonly summary?: string | undefined;
}

export function jobOutputs(outputs: readonly Output[]): JobOutput[] {
  return outputs.map(({ type, title, content = '', summary }) => ({
    outputType: type,
    title,
    content,
    summary,
  }));
}

export interface JobEnd
  extends Omit<AgentMessageInput<'result'>, 'id' | 'type' | 'content' | 'metadata' | keyof JobAddress> {
  readonly content: readonly JobOutput[];
}

export interface JobContext {
  readonly job: Job;
  /** The parameters of the task's action. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Aborted when the attempt is to end; its reason is a {@link JobStopReason}. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Reports progress. Like the following methods, it returns when the message is stored. */
  progress(detail: string): Promise<void>;
  output(output: JobOutput): Promise<void>;
  comment(body: string): Promise<void>;
  /**
   * Asks a question and waits for its answer, also over a restart of Signalbox. The time of the attempt does not count
   * meanwhile. @param onAsked called when the question is stored
   * @param gone aborted when the answer is no longer waited for: the question is withdrawn, unless it has an answer, and
   * that is its answer then
   * @throws SignalboxError if it is refused, `shutting_down` if the worker stops before
   */
  ask(question: JobQuestion, onAsked?: () => void, gone?: AbortSignal): Promise<GivenAnswerJson>;
  /**
   * Calls the listener with each message of a user (`task steer`), once, also with those that came before. Without a
   * listener, and if it resolves to false, the agent gets them in its next prompt.
   */
  onSteering(listener: SteeringListener): void;
  /**
   * A piece of the output of the attempt's process.
   * @param format of its transcript, with the first piece of standard output; default: text
   */
  log(stream: LogStream, offset: number, bytes: Uint8Array, format?: TranscriptFormat): Promise<void>;
}

/** Should not reject; if it does, the attempt has failed with that error. */
export type JobRunner = (context: JobContext) => Promise<JobEnd>;

/** Why a run is told to end early. */
export type JobStopReason = 'cancelled' | 'timed_out' | 'given_back';

export interface JobRunOptions {
  readonly job: Job;
  readonly message: JsMsg;
  readonly connection: WorkerConnection;
  readonly files: Files;
  readonly worker: WorkerIdentity;
  readonly logger: Logger;
  readonly run: JobRunner;
  /** Unique for this worker. */
  readonly nextId: () => string;
}

/** How long after its time limit a run is ended by its own worker: Signalbox is to end it first. */
const TIMEOUT_MARGIN_MS = 2_000;
/** How long Signalbox has then to say that the attempt goes on. */
const MAX_LAST_WORD_MS = 10_000;
const GIVE_BACK_MS = 2_000;

export class JobRun {
  readonly #options: JobRunOptions;
  readonly #stop = new AbortController();
  /** Aborted when the run has ended. */
  readonly #over = new AbortController();
  readonly #steering = new JobSteering();
  #reason: JobStopReason = 'cancelled';
  #message: JsMsg;
  #startedAt = 0;

  constructor(options: JobRunOptions) {
    this.#options = options;
    this.#message = options.message;
  }

  get job(): Job {
    return this.#options.job;
  }

  /** What heartbeats say about it. */
  get report(): NonNullable<AgentMessageInput<'heartbeat'>['tasks']>[number] {
    const { project, taskId, attempt } = this.job;
    return { project, taskId, attempt, ...this.#steering.fields };
  }

  /** Users tell the agent something. */
  steer(message: RunMessage): void {
    this.#steering.take(message);
  }

  /** The job was delivered again to the worker that has it. */
  renew(message: JsMsg): void {
    this.#message = message;
    message.working();
  }

  /** Asks the run to end. The first reason counts. */
  stop(reason: JobStopReason): void {
    if (this.#stop.signal.aborted) return;
    this.#reason = reason;
    this.#stop.abort(reason);
  }

  /** Does the job, from asking whether it may begin to its result. Never rejects. */
  async perform(): Promise<void> {
    const { job, logger } = this.#options;
    const heartbeat = setInterval(() => this.#message.working(), job.limits.heartbeatSeconds * 1_000);
    try {
      if (!(await this.#mayBegin())) return;
      this.#startedAt = Date.now();
      const end = await this.#runToItsEnd();
      await this.#report(end);
      this.#message.ack();
    } catch (error) {
      // The connection is closed: the end cannot be reported.
      logger.warn({ err: error }, `could not report on the attempt: ${messageOf(error)}`);
    } finally {
      clearInterval(heartbeat);
    }
  }

  async #mayBegin(): Promise<boolean> {
    const { job, connection, logger, nextId } = this.#options;
    if (this.#stop.signal.aborted) {
      this.#message.nak(GIVE_BACK_MS);
      return false;
    }
    if (Date.parse(job.metadata.expireAt) < Date.now()) {
      logger.warn('discarded a job that has expired');
      this.#message.term();
      return false;
    }
    const body = { ...this.#address, status: 'working' } as const;
    const answer = await connection.ask('status', nextId(), body, MAX_ANSWER_MS);
    if (answer.ok) return true;
    logger.warn({ code: answer.code }, `discarded a job that may not start: ${answer.detail}`);
    this.#message.term();
    return false;
  }

  async #runToItsEnd(): Promise<JobEnd> {
    const { run, logger } = this.#options;
    const over = this.#over;
    this.#watchTime(over.signal);
    try {
      const ran = run(this.#context()).catch(
        (thrown: unknown): JobEnd => ({ status: 'failed', error: messageOf(thrown), content: [] }),
      );
      const end = await Promise.race([ran, this.#graceOver(over.signal)]);
      if (end === null) {
        logger.warn('the handler is still running after it was asked to end; reporting the attempt as ended');
        return { status: this.#reason, error: 'it did not end within its grace', content: [] };
      }
      const wasStopped = this.#stop.signal.aborted && end.status !== 'completed';
      return wasStopped ? { ...end, status: this.#reason } : end;
    } finally {
      over.abort();
    }
  }

  /** Ends the run at its time limit, unless Signalbox says that the attempt goes on: it has waited for an answer. */
  #watchTime(over: AbortSignal): void {
    const { job, connection, nextId } = this.#options;
    const timeoutMs = job.limits.timeoutSeconds * 1_000 + TIMEOUT_MARGIN_MS;
    const cancel = systemClock.schedule(timeoutMs, async () => {
      over.removeEventListener('abort', cancel);
      const asking = connection
        .ask('status', nextId(), { ...this.#address, status: 'working' }, MAX_ANSWER_MS)
        .catch(() => null);
      const answer = await withLimit(asking, MAX_LAST_WORD_MS, () => null);
      if (over.aborted) return;
      if (answer?.ok) this.#watchTime(over);
      else this.stop('timed_out');
    });
    over.addEventListener('abort', cancel, { once: true });
  }

  /** Resolves when the grace after a stop is over, with some time for the kill. */
  async #graceOver(over: AbortSignal): Promise<null> {
    await untilAborted(this.#stop.signal, () => () => {});
    await pause(this.job.limits.killGraceSeconds * 1_000 + TIMEOUT_MARGIN_MS, over);
    return null;
  }

  async #report(end: JobEnd): Promise<void> {
    const content = [];
    for (const output of end.content) content.push(await this.#options.files.outputOf(output));
    const now = Date.now();
    await this.#send('result', {
      ...end,
      ...this.#address,
      error: end.error === undefined ? undefined : cutText(end.error, MAX_TEXT),
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
      progress: (detail) => this.#send('status', { ...this.#address, status: 'working', detail }),
      output: async (output) => this.#send('output', { ...this.#address, ...(await files.outputOf(output)) }),
      comment: (body) => this.#send('comment', { ...this.#address, body }),
      ask: (question, onAsked, gone) =>
        askQuestion(
          {
            ...this.#options,
            address: () => this.#address,
            stop: this.#stop.signal,
            over: this.#over.signal,
          },
          question,
          onAsked,
          gone,
        ),
      onSteering: (listener) => this.#steering.listen(listener),
      log: (stream, offset, bytes, format) => {
        const data = Buffer.from(bytes).toString('base64');
        return this.#send('log', { ...this.#address, stream, offset, data, format });
      },
    };
  }

  #send<Kind extends 'status' | 'output' | 'comment' | 'log' | 'result'>(
    kind: Kind,
    body: MessageBody<Kind>,
  ): Promise<void> {
    return this.#options.connection.store(kind, this.#options.nextId(), body);
  }

  get #address(): JobAddress {
    const { job, worker } = this.#options;
    return { ...this.report, token: job.token, worker };
  }
}
