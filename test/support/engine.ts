/** An engine for tests, with function agents and a journal in memory; its data directory is removed at the end. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { TaskView } from '../../projections/index.ts';
import type { Engine } from '../../src/app/engine/engine.ts';
import type { EngineOptions } from '../../src/app/engine/engine-options.ts';
import { openEngine } from '../../src/app/engine/open-engine.ts';
import { createTask } from '../../src/app/tasks/create-task.ts';
import { systemEnvironment } from '../../src/base/environment.ts';
import { type CreateTask, createTaskSchema } from '../../src/contracts/api/requests.ts';
import type { StoredRecord } from '../../src/contracts/events/events.ts';
import { taskKey } from '../../src/contracts/ids.ts';
import { FunctionDriver, type FunctionHandler } from '../../src/drivers/function.ts';
import type { LogEntry } from '../../src/engine/runtime/commit-pipeline.ts';
import type { AgentDefinition } from '../../src/engine/supervisor/agent-roster.ts';
import type { JournalHandlers } from '../../src/journal/journal.ts';
import { MemoryJournal, MemoryLog } from './memory-journal.ts';

export const PROJECT = 'demo';

export const silentLogger = pino({ level: 'silent' });

export function functionAgent(
  id: string,
  handler: FunctionHandler,
  settings: Partial<AgentDefinition> = {},
): AgentDefinition {
  return {
    id,
    driver: new FunctionDriver(handler, () => Date.now()),
    capabilities: [],
    concurrency: 1,
    timeoutMs: 60_000,
    killGraceMs: 1_000,
    lingerMs: 1_000,
    promptLanguage: 'en',
    ...settings,
  };
}

export type EngineSettings = Partial<EngineOptions> & Pick<EngineOptions, 'agents'>;

export class TestEngine implements AsyncDisposable {
  readonly engine: Engine;
  readonly #directory: string;

  constructor(engine: Engine, directory: string) {
    this.engine = engine;
    this.#directory = directory;
  }

  get app() {
    return this.engine.app;
  }

  async create(request: Partial<CreateTask> & { readonly title?: string }): Promise<TaskView> {
    const parsed = createTaskSchema.parse({ title: 'a task', ...request });
    return (await createTask(this.app, PROJECT, parsed, { actor: 'user:test', attempt: null })).task;
  }

  /** Resolves with the task once it satisfies the condition. */
  async until(id: string, condition: (task: TaskView) => boolean): Promise<TaskView> {
    const find = (): TaskView | undefined =>
      this.engine.projections.blackboard.tasks.get(taskKey({ project: PROJECT, task: id }));
    return this.when(() => {
      const task = find();
      return task && condition(task) ? task : undefined;
    });
  }

  /** Calls `look` now and after every record; resolves with the first value it returns. */
  when<Found>(look: () => Found | undefined): Promise<Found> {
    const now = look();
    if (now !== undefined) return Promise.resolve(now);
    return new Promise((resolve) => {
      const stop = this.app.log.onRecord(() => {
        const found = look();
        if (found === undefined) return;
        stop();
        resolve(found);
      });
    });
  }

  async history(task: TaskView): Promise<StoredRecord[]> {
    const records: StoredRecord[] = [];
    for await (const record of this.app.log.history({ project: PROJECT, task: task.id }))
      records.push(record);
    return records;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine.stop('the test is over');
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** @param log pass the same one to engines that continue each other's log */
export async function startEngine(settings: EngineSettings, log = new MemoryLog()): Promise<TestEngine> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'signalbox-engine-'));
  const engine = await openEngine({
    openJournal: async (handlers: JournalHandlers<LogEntry>) => new MemoryJournal(log, handlers),
    environment: systemEnvironment,
    logger: silentLogger,
    dataDirectory,
    secret: 'test-secret',
    version: 'test',
    defaults: {
      priority: 5,
      max_attempts: 4,
      review: 'auto',
      backoff: { initial_seconds: 0.01, factor: 2, max_seconds: 1, jitter: 0 },
    },
    reviewOf: () => undefined,
    limits: {
      concurrency: 1_000,
      projectConcurrency: 1_000,
      queueDepth: 100_000,
      backlog: 20_000,
      maxEventBytes: 900_000,
    },
    retention: { finishedMs: 3_600_000, deadLettersMs: 3_600_000, tasks: 100_000 },
    snapshots: null,
    writer: systemEnvironment.randomId(10),
    onFenced: () => {},
    url: () => null,
    ...settings,
  });
  await engine.begin();
  return new TestEngine(engine, dataDirectory);
}
