/**
 * Signalbox as a library: the same parts that `signalbox up` runs, inside another program. Operations have the names, inputs
 * and answers that they have over HTTP and NATS.
 *
 *     const signalbox = await createSignalbox({
 *       config: { agents: { echo: { driver: 'function' } } },
 *       functions: { echo: ({ spec }) => `did ${spec.title}` },
 *     });
 *     const { id } = await signalbox.createTask({ project: 'demo', title: 'say hello', agent: 'echo', review: 'auto' });
 *     const done = await signalbox.settledTask({ project: 'demo', task: id });
 *     await signalbox.stop();
 */
import { type Logger, pino } from 'pino';
import { taskInMemory } from './app/context.ts';
import { followRecords, TaskUpdates } from './app/events/follow.ts';
import { appServices } from './app/services.ts';
import { eventJson, taskJson } from './app/tasks/task-json.ts';
import { incomingTrace } from './base/trace-context.ts';
import { checkConfig } from './config/parse-config.ts';
import type { SignalboxConfigInput } from './config/schema/config.ts';
import { LIBRARY } from './contracts/actors.ts';
import type { EventAnswer, TaskAnswer } from './contracts/api/answers.ts';
import { MAX_WAIT_SECONDS } from './contracts/api/jobs.ts';
import type { Expansion } from './contracts/api/requests.ts';
import { SignalboxError } from './contracts/errors.ts';
import type { StoredRecord } from './contracts/events/events.ts';
import type { TaskRef } from './contracts/ids.ts';
import { SETTLED_STATES } from './contracts/tasks.ts';
import { Daemon } from './daemon/daemon.ts';
import type { FunctionHandler } from './drivers/function.ts';
import { settledBy } from './engine/supervisor/task-keeper.ts';
import { OPERATIONS } from './operations/index.ts';
import { parseObject } from './operations/parse.ts';
import type { Services } from './operations/services.ts';
import {
  type CallOptions,
  inputParts,
  type Method,
  type OperationName,
  type OperationOf,
} from './operations/typed.ts';

export type { IncomingTrace } from './base/trace-context.ts';
export type { SignalboxConfigInput } from './config/schema/config.ts';
export type { AttemptAnswer, EventAnswer, TaskAnswer } from './contracts/api/answers.ts';
export { type ErrorCode, SignalboxError } from './contracts/errors.ts';
export type { TaskRef } from './contracts/ids.ts';
export type { FunctionContext, FunctionHandler, FunctionOutput } from './drivers/function.ts';
export type { AnswerOf, CallOptions, InputOf, OperationName } from './operations/typed.ts';

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
  readonly onSettled?: (task: TaskAnswer) => void;
  /** Another writer took the log: nothing is decided any more, and `stop` must be called. */
  readonly onFenced?: (error: SignalboxError) => void;
}

/** Operations that need nothing beside the engine, and answer with JSON. */
type LibraryOperation = {
  [Name in OperationName]: OperationOf<Name> extends { readonly needs: undefined } ? Name : never;
}[Exclude<OperationName, 'readAttemptLog'>];

type Methods = { readonly [Name in LibraryOperation]: Method<Name> };

/** Every method throws a SignalboxError with the code that the operation has over HTTP. */
export interface Signalbox extends Methods {
  /** The URL of the HTTP server; null if there is none. */
  readonly url: string | null;
  /** The task, once it is done, failed, cancelled or expired. */
  settledTask(ref: TaskRef, expand?: readonly (Expansion | 'all')[]): Promise<TaskAnswer>;
  /**
   * Every event from now on, in the log's order, until the loop is left. A loop that falls too far behind fails rather
   * than miss an event.
   */
  followEvents(): AsyncGenerator<EventAnswer>;
  /** Drains and stops; running agents are left running or killed, as configured. */
  stop(reason?: string): Promise<void>;
}

const CALLER = { actor: LIBRARY, role: 'admin', token: null, attempt: null } as const;

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
      const task = settled && taskInMemory(app, settled);
      if (task) onSettled(taskJson(task));
    });
  }
  const updates = new TaskUpdates(app);
  const closed = new AbortController();
  const methods = methodsOf(
    { ...appServices(app, updates), health: () => daemon.health(), rejected: async () => [] },
    closed.signal,
  );
  return {
    ...methods,
    url: daemon.url,
    settledTask: async (ref, expand = []) => {
      for (;;) {
        const task = await methods.readTask({ ...ref, expand, wait: MAX_WAIT_SECONDS });
        if (SETTLED_STATES.has(task.status)) return task;
        if (closed.signal.aborted) throw new SignalboxError('shutting_down', 'Signalbox has been stopped');
      }
    },
    followEvents: () => eventsOf(followRecords(app)),
    stop: async (reason = 'the program stops') => {
      await daemon.stop(reason);
      closed.abort();
      updates.close();
    },
  };
}

async function* eventsOf(records: AsyncIterable<StoredRecord>): AsyncGenerator<EventAnswer> {
  for await (const record of records) yield eventJson(record);
}

/** @param closed aborted when nothing can be waited for any more */
function methodsOf(services: Services, closed: AbortSignal): Methods;
function methodsOf(services: Services, closed: AbortSignal): object {
  const methods = OPERATIONS.map((operation) => [
    operation.name,
    async (input: object = {}, { idempotencyKey, trace = {} }: CallOptions = {}): Promise<unknown> => {
      const { traceparent, tracestate } = incomingTrace(trace.traceparent, trace.tracestate);
      const headers = { 'idempotency-key': idempotencyKey, traceparent, tracestate };
      const context = { headers, caller: CALLER, gone: () => closed, isAdmitted: () => true };
      return (
        await operation.accept(inputParts(operation, parseObject(input, 'input'))).run(services, context)
      ).body;
    },
  ]);
  return Object.fromEntries(methods);
}
