/** A typed client: one method for each operation, derived from the list, and a few that wait or follow. */
import { Lru } from '../base/lru.ts';
import type { TaskAnswer } from '../contracts/api/answers.ts';
import type { BackgroundAnswer } from '../contracts/api/background.ts';
import { type JobAnswer, MAX_WAIT_SECONDS } from '../contracts/api/jobs.ts';
import type { Expansion } from '../contracts/api/requests.ts';
import { LOG_HEADERS } from '../contracts/api/system-answers.ts';
import type { TaskRef } from '../contracts/ids.ts';
import { SETTLED_STATES } from '../contracts/tasks.ts';
import { OPERATIONS } from '../operations/index.ts';
import type { CallOptions, InputOf, Method, OperationName } from '../operations/typed.ts';
import { type EventAnswer, type EventQuery, followEvents } from './events.ts';
import { type ClientOptions, Requests } from './requests.ts';

export type { EventAnswer, EventQuery } from './events.ts';
export { type ClientOptions, DEFAULT_URL } from './requests.ts';

/** A task as its creator writes it: defaults may be left out. */
export type NewTask = Omit<InputOf<'createTask'>, 'project'>;

/** A part of the output of an attempt. */
export interface LogPart {
  readonly text: string;
  /** Offset of the first byte; differs from the requested one if Signalbox has dropped that part. */
  readonly offset: number;
  /** The offset of the next part. */
  readonly nextOffset: number;
  /** Whether this is the last part. */
  readonly isComplete: boolean;
}

/** Operations that have a method of another form below. */
type OwnMethods =
  | 'readAttemptLog'
  | 'readJob'
  | 'followEvents'
  | 'followProjectEvents'
  | 'followBoard'
  | 'followTranscript';

type Methods = { readonly [Name in Exclude<OperationName, OwnMethods>]: Method<Name> };

/** Requests with a method for each operation; its type is derived from the list of operations. */
function withMethods(): new (options?: ClientOptions) => Requests & Methods;
function withMethods(): new (options?: ClientOptions) => Requests {
  class Client extends Requests {}
  for (const { name } of OPERATIONS) {
    Object.defineProperty(Client.prototype, name, {
      value: async function (this: Client, input: never, options?: CallOptions): Promise<unknown> {
        return (await this.request(name, input ?? {}, options)).body;
      },
    });
  }
  return Client;
}

/**
 * Every method throws a SignalboxError with the code that Signalbox gave, `unreachable` if it gives none, and
 * `invalid_id` for an id that is not valid.
 */
export class SignalboxClient extends withMethods() {
  /** Jobs that have ended: they are not requested again. */
  readonly #finished: Lru<string, JobAnswer>;

  /** @throws SignalboxError `invalid_request` if `url` is not one */
  constructor(options: ClientOptions = {}) {
    super(options);
    this.#finished = new Lru(options.cacheSize ?? 1_000);
  }

  async readJob(input: InputOf<'readJob'>): Promise<JobAnswer> {
    const known = this.#finished.get(input.task);
    if (known) return known;
    const { body } = await this.request('readJob', input);
    // A failed job can be retried by an operator.
    if (body.status === 'completed' || body.status === 'cancelled') this.#finished.set(input.task, body);
    return body;
  }

  async readAttemptLog(input: InputOf<'readAttemptLog'>): Promise<LogPart> {
    const { body, headers } = await this.request('readAttemptLog', input);
    return {
      text: body,
      offset: Number(headers.get(LOG_HEADERS.offset)),
      nextOffset: Number(headers.get(LOG_HEADERS.nextOffset)),
      isComplete: headers.get(LOG_HEADERS.complete) === 'true',
    };
  }

  /** Every event from a sequence on, then new ones; continues across interruptions and restarts. */
  followEvents(query: EventQuery = {}): AsyncGenerator<EventAnswer> {
    return followEvents(this, query);
  }

  /** Resolves when the task is done, failed, cancelled or expired. Uses long polling. */
  async settledTask(ref: TaskRef, expand: readonly (Expansion | 'all')[] = []): Promise<TaskAnswer> {
    for (;;) {
      const task = await this.readTask({ ...ref, expand, wait: MAX_WAIT_SECONDS });
      if (SETTLED_STATES.has(task.status)) return task;
    }
  }

  /** Resolves when the task has changed since this client last read it, or after a minute. */
  updatedTask(ref: TaskRef): Promise<TaskAnswer> {
    return this.readTask({ ...ref, wait: MAX_WAIT_SECONDS });
  }

  /** Resolves when the job is completed, failed or cancelled. */
  async settledJob(task: string): Promise<JobAnswer> {
    for (;;) {
      const job = await this.readJob({ task, wait: MAX_WAIT_SECONDS });
      if (job.status !== 'created' && job.status !== 'running') return job;
    }
  }

  /** Resolves when the background command has ended. */
  async settledBackground(task: string): Promise<BackgroundAnswer> {
    for (;;) {
      const answer = await this.checkBackground({ task, wait: MAX_WAIT_SECONDS });
      if (answer.status !== 'pending' && answer.status !== 'running') return answer;
    }
  }
}
