/** The engine under test: complete, with function agents and the JetStream journal. */
import type { NatsConnection } from '@nats-io/transport-node';
import { pino } from 'pino';
import type { Engine } from '../../src/app/engine/engine.ts';
import type { EngineOptions } from '../../src/app/engine/engine-options.ts';
import { openEngine } from '../../src/app/engine/open-engine.ts';
import { createTask } from '../../src/app/tasks/create-task.ts';
import { systemEnvironment } from '../../src/base/environment.ts';
import { type CreateTask, createTaskSchema } from '../../src/contracts/api/requests.ts';
import { FunctionDriver, type FunctionHandler } from '../../src/drivers/function.ts';
import { openGroupCommit } from '../../src/journal/jetstream/group-commit.ts';
import { openJetStreamJournal } from '../../src/journal/jetstream/jetstream-journal.ts';

export const PROJECT = 'bench';
export const RETENTION = { finishedMs: 60_000, deadLettersMs: 60_000, tasks: 10_000 };
const AGENT = 'worker';
const TYPE = 'work';

export interface BenchEngineSettings {
  /** Number of agents that share the work by type; 1 by default. */
  readonly agents?: number;
  /** Runs a task. */
  readonly handler?: FunctionHandler;
  readonly snapshots?: EngineOptions['snapshots'];
  readonly readAhead?: EngineOptions['readAhead'];
  /** Syncs the log to disk before events are acknowledged. */
  readonly sync?: () => Promise<void>;
}

/** @param concurrency slots of each agent */
export async function openBenchEngine(
  connection: NatsConnection,
  directory: string,
  concurrency: number,
  {
    agents = 1,
    handler = () => 'result',
    snapshots = null,
    readAhead = null,
    sync,
  }: BenchEngineSettings = {},
): Promise<Engine> {
  const { clock } = systemEnvironment;
  const engine = await openEngine({
    openJournal: (handlers) => {
      const open = (inner: typeof handlers) => openJetStreamJournal(connection, inner);
      return sync === undefined ? open(handlers) : openGroupCommit(open, handlers, sync);
    },
    agents: Array.from({ length: agents }, (_, index) => ({
      id: index === 0 ? AGENT : `${AGENT}-${index}`,
      driver: new FunctionDriver(handler, clock.now),
      capabilities: [TYPE],
      concurrency,
      timeoutMs: 600_000,
      killGraceMs: 1_000,
      lingerMs: 1_000,
      promptLanguage: 'en' as const,
    })),
    environment: systemEnvironment,
    logger: pino({ level: 'warn' }),
    dataDirectory: directory,
    secret: 'bench',
    version: 'bench',
    writer: systemEnvironment.randomId(10),
    url: () => null,
    defaults: {
      priority: 5,
      max_attempts: 4,
      review: 'auto',
      backoff: { initial_seconds: 2, factor: 2, max_seconds: 300, jitter: 0.2 },
    },
    reviewOf: () => undefined,
    limits: {
      concurrency: 10_000,
      projectConcurrency: 10_000,
      queueDepth: 10_000_000,
      backlog: 1_000_000,
      maxEventBytes: 900_000,
    },
    retention: RETENTION,
    snapshots,
    readAhead,
    onFenced: (error) => {
      throw error;
    },
  });
  await engine.begin();
  return engine;
}

/** A request, validated as the HTTP server does it. */
export function request(overrides: Partial<CreateTask> = {}): CreateTask {
  return createTaskSchema.parse({ title: 'a task of the bench', agent: AGENT, ...overrides });
}

/**
 * Runs `count` tasks through all their states, `inFlight` at a time, on the only agent or on any free one.
 * @returns seconds
 */
export async function runLifecycles(
  engine: Engine,
  count: number,
  inFlight: number,
  overrides: Partial<CreateTask> = {},
): Promise<number> {
  const isShared = [...engine.app.supervision.roster.all()].length > 1;
  const target = { ...overrides, ...(isShared && { agent: undefined, type: TYPE }) };
  const start = performance.now();
  await new Promise<void>((resolve) => {
    let created = 0;
    let done = 0;
    const refill = (): void => {
      while (created < count && created - done < inFlight) {
        created++;
        void createTask(engine.app, PROJECT, request(target), { actor: 'user:bench', attempt: null });
      }
    };
    const stop = engine.app.log.onRecord(({ event }) => {
      if (event.type !== 'task.approved') return;
      done++;
      if (done < count) return refill();
      stop();
      resolve();
    });
    refill();
  });
  return (performance.now() - start) / 1_000;
}
