/**
 * Signalbox as a library: the same parts that `signalbox up` runs, inside another program.
 *
 *     const signalbox = await createSignalbox({
 *       config: { agents: { echo: { driver: 'function' } } },
 *       functions: { echo: ({ spec }) => `did ${spec.title}` },
 *     });
 *     const task = await signalbox.createTask('demo', { title: 'say hello', agent: 'echo', review: 'auto' });
 *     const done = await signalbox.settled('demo', task.id);
 *     await signalbox.stop();
 */
import { type Logger, pino } from 'pino';
import type { z } from 'zod';
import type { AttemptView, TaskView } from '../projections/index.ts';
import { addComment } from './app/agents/agent-words.ts';
import { type AppContext, findAttempts, findTask, taskInMemory } from './app/context.ts';
import { followRecords } from './app/events/follow.ts';
import { createTask } from './app/tasks/create-task.ts';
import { approveTask, cancelTask, rejectTask, retryTask } from './app/tasks/decide-task.ts';
import { checkConfig } from './config/parse-config.ts';
import type { SignalboxConfigInput } from './config/schema/config.ts';
import type { HealthReport } from './contracts/api/answers.ts';
import { createTaskSchema } from './contracts/api/requests.ts';
import type { SignalboxError } from './contracts/errors.ts';
import type { StoredRecord } from './contracts/events/events.ts';
import { type ProjectId, projectId, type TaskId, taskId } from './contracts/ids.ts';
import { SETTLED_STATES } from './contracts/tasks.ts';
import { type IncomingTrace, incomingTrace } from './contracts/trace-context.ts';
import { Daemon } from './daemon/daemon.ts';
import type { FunctionHandler } from './drivers/function.ts';
import { settledBy } from './engine/supervisor/task-keeper.ts';
import { parse } from './operations/parse.ts';

export type { AttemptView, TaskView } from '../projections/index.ts';
export type { SignalboxConfigInput } from './config/schema/config.ts';
export { type ErrorCode, SignalboxError } from './contracts/errors.ts';
export type { DomainEvent, EventRecord, StoredRecord, Transition } from './contracts/events/events.ts';
export type { IncomingTrace } from './contracts/trace-context.ts';
export type { FunctionContext, FunctionHandler, FunctionOutput } from './drivers/function.ts';

export interface SignalboxOptions {
  /** As in the configuration file. */
  readonly config?: SignalboxConfigInput;
  /** Handlers of the agents with the driver `function`, by agent id. */
  readonly functions?: Readonly<Record<string, FunctionHandler>>;
  /** true: listen for HTTP as configured. Process agents need it to write back. */
  readonly http?: boolean;
  readonly logger?: Logger;
  readonly env?: NodeJS.ProcessEnv;
  /** Called once for each task that settles: done, failed, cancelled or expired. */
  readonly onSettled?: (task: TaskView) => void;
  /** Another writer took the log: nothing is decided any more, and `stop` is to be called. */
  readonly onFenced?: (error: SignalboxError) => void;
}

/** What a caller says of a new task; everything that has a default may be left out. */
export type NewTask = z.input<typeof createTaskSchema>;

export interface Signalbox {
  /** Where it listens for HTTP; null where it does not. */
  readonly url: string | null;
  health(): HealthReport;
  /**
   * @param trace where in a trace it is asked for (W3C Trace Context); what is not well formed is ignored
   * @throws SignalboxError `invalid_request`, `task_exists`, `idempotency_conflict`, `agent_not_found`, `overloaded`
   */
  createTask(project: string, task: NewTask, trace?: IncomingTrace): Promise<TaskView>;
  /** @throws SignalboxError `task_not_found` */
  task(project: string, id: string): Promise<TaskView>;
  /** @throws SignalboxError `task_not_found` */
  attempts(project: string, id: string): Promise<readonly AttemptView[]>;
  /** The task, once it is done, failed, cancelled or expired. */
  settled(project: string, id: string): Promise<TaskView>;
  approve(project: string, id: string, comment?: string): Promise<TaskView>;
  reject(project: string, id: string, comment: string): Promise<TaskView>;
  cancel(project: string, id: string, reason?: string): Promise<TaskView>;
  retry(project: string, id: string): Promise<TaskView>;
  comment(project: string, id: string, author: string, body: string): Promise<TaskView>;
  /**
   * Every record from now on, in the log's order, until the loop is left. A loop that falls too far behind fails
   * rather than miss a record.
   */
  events(): AsyncIterableIterator<StoredRecord>;
  /** Drains and stops; running agents are left or killed, as configured. */
  stop(reason?: string): Promise<void>;
}

const ACTOR = 'user:library';

/** @throws SignalboxError with what to do; nothing is left running then */
export async function createSignalbox(options: SignalboxOptions = {}): Promise<Signalbox> {
  const config = checkConfig(options.config ?? {});
  const daemon = await Daemon.start({
    config,
    logger: options.logger ?? pino({ level: 'silent' }),
    functions: options.functions ?? {},
    env: options.env ?? process.env,
    http: options.http ?? false,
    onFenced: options.onFenced ?? (() => {}),
  });
  const { app } = daemon;
  const { onSettled } = options;
  if (onSettled) {
    app.log.onRecord((record) => {
      const settled = settledBy(record);
      const task = settled && taskInMemory(app, settled.project, settled.task);
      if (task) onSettled(task);
    });
  }
  return {
    url: daemon.url,
    health: () => daemon.health(),
    createTask: async (project, task, { traceparent, tracestate } = {}) => {
      const request = parse(createTaskSchema, task, 'task');
      const trace = incomingTrace(traceparent, tracestate);
      return (await createTask(app, projectId(project), request, ACTOR, trace)).task;
    },
    task: async (project, id) => findTask(app, projectId(project), taskId(id)),
    attempts: async (project, id) => findAttempts(app, projectId(project), taskId(id)),
    settled: async (project, id) => whenSettled(app, projectId(project), taskId(id)),
    approve: (project, id, comment) => approveTask(app, projectId(project), taskId(id), { comment }, ACTOR),
    reject: (project, id, comment) => rejectTask(app, projectId(project), taskId(id), { comment }, ACTOR),
    cancel: (project, id, comment) => cancelTask(app, projectId(project), taskId(id), { comment }, ACTOR),
    retry: (project, id) => retryTask(app, projectId(project), taskId(id), {}, ACTOR),
    comment: (project, id, author, body) =>
      addComment(app, projectId(project), taskId(id), { author, body }, null),
    events: () => followRecords(app),
    stop: (reason = 'the program stops') => daemon.stop(reason),
  };
}

async function whenSettled(app: AppContext, project: ProjectId, id: TaskId): Promise<TaskView> {
  const now = await findTask(app, project, id);
  // Looked at again: it may have settled while it was looked up.
  const task = taskInMemory(app, project, id) ?? now;
  if (SETTLED_STATES.has(task.state)) return task;
  return new Promise((resolve) => {
    const stop = app.log.onRecord((record) => {
      const settled = settledBy(record);
      if (settled?.project !== project || settled.task !== id) return;
      stop();
      resolve(findTask(app, project, id));
    });
  });
}
