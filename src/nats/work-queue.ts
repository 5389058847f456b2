/** The queue of a remote agent in JetStream: one message for each job, as long as its attempt is open. */
import {
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  type StoredMsg,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import type { CancelMessage, Job } from '../contracts/messages/agent-messages.ts';
import { controlSubject, WORK_STREAM, workSubject } from '../contracts/messages/subjects.ts';
import { jobFieldsOf } from '../contracts/task-fields.ts';
import type { RunRequest } from '../drivers/driver.ts';
import type { WorkQueue } from '../drivers/remote-run.ts';

export interface WorkQueueOptions {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly logger: Logger;
  readonly agent: string;
  readonly heartbeatMs: number;
}

type Address = Pick<RunRequest, 'project' | 'task' | 'attempt'>;

/** While the server is unreachable. */
const RETRY_MS = 500;
const RETRIES = 20;

export class JetStreamWorkQueue implements WorkQueue {
  readonly #options: WorkQueueOptions;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  async put(request: RunRequest, expiresAt: number): Promise<void> {
    const { client, connection, heartbeatMs } = this.#options;
    const payload = Buffer.from(JSON.stringify(jobOf(request, expiresAt, heartbeatMs)));
    const limit = connection.info?.max_payload ?? payload.length;
    if (payload.length > limit) {
      throw new SignalboxError(
        'spawn_failed',
        `the job has ${payload.length} bytes with its prompt, the limit of a message is ${limit}: pass large content as a file`,
      );
    }
    await this.#retrying(async () => {
      await client.publish(this.#subjectOf(request), payload).catch(async (error: unknown) => {
        // Its subject takes one message only.
        if (!(error instanceof JetStreamApiError) || !(await this.#find(request))) throw error;
      });
    });
  }

  async remove(attempt: Address): Promise<void> {
    const { manager, logger } = this.#options;
    const subject = this.#subjectOf(attempt);
    try {
      const message = await this.#find(attempt);
      if (message) await manager.streams.deleteMessage(WORK_STREAM, message.seq, false);
    } catch (error) {
      // A worker that takes it is refused.
      logger.debug(
        { err: error, subject },
        `could not remove the job of an ended attempt: ${messageOf(error)}`,
      );
    }
  }

  cancel({ project, task, attempt }: Address, graceMs: number): void {
    const { connection, agent } = this.#options;
    const message: CancelMessage = {
      type: 'cancel',
      project,
      taskId: task,
      attempt,
      reason: 'it must be stopped',
      graceSeconds: graceMs / 1_000,
    };
    if (!connection.isClosed()) connection.publish(controlSubject(agent, 'cancel'), JSON.stringify(message));
  }

  #find(attempt: Address): Promise<StoredMsg | null> {
    return this.#options.manager.streams.getMessage(WORK_STREAM, { last_by_subj: this.#subjectOf(attempt) });
  }

  #subjectOf({ project, task, attempt }: Address): string {
    return workSubject({ agent: this.#options.agent, project, task, attempt });
  }

  async #retrying(work: () => Promise<void>): Promise<void> {
    for (let retries = 0; ; retries++) {
      try {
        return await work();
      } catch (cause) {
        const isOver = retries === RETRIES || cause instanceof JetStreamApiError;
        if (isOver || this.#options.connection.isClosed()) {
          throw new SignalboxError('spawn_failed', `could not store the job: ${messageOf(cause)}`, { cause });
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}

function jobOf(request: RunRequest, expiresAt: number, heartbeatMs: number): Job {
  const { spec } = request;
  return {
    type: 'task',
    taskId: request.task,
    project: request.project,
    attempt: request.attempt,
    token: request.token,
    source: spec.source ?? 'signalbox',
    target: request.agent,
    ...jobFieldsOf(spec),
    content: { action: spec.action ?? null, params: spec.params ?? {} },
    prompt: request.prompt(),
    url: request.url,
    traceparent: request.traceparent,
    tracestate: request.tracestate,
    metadata: {
      createdAt: new Date(request.claimedAt).toISOString(),
      expireAt: new Date(expiresAt).toISOString(),
      retryCount: request.attempt - 1,
      maxRetries: spec.max_attempts - 1,
    },
    limits: {
      timeoutSeconds: request.timeoutMs / 1_000,
      killGraceSeconds: request.killGraceMs / 1_000,
      heartbeatSeconds: heartbeatMs / 1_000,
    },
  };
}
