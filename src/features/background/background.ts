/**
 * Background commands. Each is a task of the built-in project and agent, with one attempt, so that it is supervised and
 * recorded like any other task and never runs twice. Each result is delivered once per cursor.
 */
import { join } from 'node:path';
import type { TaskView } from '../../../projections/index.ts';
import { type AppContext, findTask } from '../../app/context.ts';
import { createAnyTask } from '../../app/tasks/create-task.ts';
import { firstLine } from '../../base/text/printable.ts';
import type { IncomingTrace } from '../../base/trace-context.ts';
import {
  BACKGROUND_AGENT,
  type BackgroundAnswer,
  type DrainAnswer,
  type DrainRequest,
  type RunBackground,
} from '../../contracts/api/background.ts';
import { createTaskSchema } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { BACKGROUND_PROJECT } from '../../contracts/ids.ts';
import { backgroundAnswer, backgroundBlock } from './answer.ts';
import { Cursors } from './cursors.ts';
import { type Ending, Endings } from './endings.ts';

const MAX_TITLE_LENGTH = 100;

export class Background {
  readonly #app: AppContext;
  readonly #cursors: Cursors;
  readonly #endings: Endings;
  /** One drain at a time. */
  #drained: Promise<unknown> = Promise.resolve();

  private constructor(app: AppContext, cursors: Cursors) {
    this.#app = app;
    this.#cursors = cursors;
    this.#endings = new Endings(app);
  }

  /** @param directory for the file with the cursors. @throws SignalboxError `config_invalid` for a damaged file */
  static async open(app: AppContext, directory: string): Promise<Background> {
    return new Background(app, await Cursors.open(join(directory, 'cursors.json')));
  }

  /**
   * @param idempotencyKey a second request with the same key returns the first task
   * @throws SignalboxError `background_off`, and what `createTask` throws
   */
  async run(
    { command, cwd, timeout_seconds }: RunBackground,
    idempotencyKey: string | undefined,
    actor: string,
    trace: IncomingTrace = {},
  ): Promise<{ readonly task: TaskView; readonly created: boolean }> {
    if (!this.#app.supervision.roster.get(BACKGROUND_AGENT)) {
      throw new SignalboxError(
        'background_off',
        'background commands are off. They run as the user of Signalbox; enable them with "background: {}" in the configuration',
      );
    }
    const request = createTaskSchema.parse({
      title: firstLine(command, MAX_TITLE_LENGTH),
      description: command,
      agent: BACKGROUND_AGENT,
      params: { command, cwd },
      timeout_seconds,
      max_attempts: 1,
      review: 'auto',
      outputs: 'optional',
      idempotency_key: idempotencyKey,
    });
    return createAnyTask(this.#app, BACKGROUND_PROJECT, request, { actor, attempt: null }, trace);
  }

  /** @throws SignalboxError `task_not_found`, `log_unavailable` */
  find(id: string): Promise<TaskView> {
    return findTask(this.#app, { project: BACKGROUND_PROJECT, task: id });
  }

  /** @throws SignalboxError `task_not_found`, `log_unavailable` */
  async read(id: string): Promise<BackgroundAnswer> {
    return this.answer(await this.find(id));
  }

  /** @throws SignalboxError `log_unavailable` */
  answer(task: TaskView): Promise<BackgroundAnswer> {
    return backgroundAnswer(this.#app, task);
  }

  /** The newest commands in memory, in the order of their creation. @throws SignalboxError `log_unavailable` */
  async list(limit: number): Promise<BackgroundAnswer[]> {
    const tasks = [...this.#app.state.projections.blackboard.tasks.values()].filter(
      ({ project }) => project === BACKGROUND_PROJECT,
    );
    return Promise.all(tasks.slice(-limit).map((task) => this.answer(task)));
  }

  /** The commands that have finished since the last drain of the cursor. @throws SignalboxError `log_unavailable` */
  drain(request: DrainRequest): Promise<DrainAnswer> {
    const drained = this.#drained.then(() => this.#drain(request));
    this.#drained = drained.catch(() => {});
    return drained;
  }

  close(): void {
    this.#endings.close();
  }

  async #drain({ cursor: name, drain_id, limit }: DrainRequest): Promise<DrainAnswer> {
    const cursor = this.#cursors.get(name);
    const repeated = drain_id !== undefined && cursor.last?.id === drain_id ? cursor.last : null;
    const from = repeated?.from ?? cursor.position;
    const next = await this.#after(from, repeated ? Number.POSITIVE_INFINITY : limit + 1);
    const endings = repeated ? next.filter(({ sequence }) => sequence <= repeated.to) : next.slice(0, limit);
    const results = await Promise.all(endings.map(({ task }) => this.#resultOf(task)));
    const to = endings.at(-1)?.sequence ?? from;
    if (!repeated && endings.length > 0) {
      const last = drain_id === undefined ? null : { id: drain_id, from, to };
      await this.#cursors.set(name, { position: to, last });
    }
    return { cursor: name, results, more: next.length > endings.length, text: backgroundBlock(results) };
  }

  async #resultOf(id: string): Promise<BackgroundAnswer> {
    return this.answer(await this.find(id));
  }

  async #after(sequence: number, limit: number): Promise<readonly Ending[]> {
    try {
      return await this.#endings.after(sequence, limit);
    } catch (cause) {
      if (!(cause instanceof SignalboxError) || cause.code !== 'nats_unavailable') throw cause;
      const why = 'the event log is unreachable: try again in a moment';
      throw new SignalboxError('log_unavailable', why, { cause });
    }
  }
}
