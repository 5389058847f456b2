/**
 * OpenTelemetry traces: spans follow from the records of the log, as its followers read them, and go to a collector.
 *
 * M1 Nothing here is asked by the supervisor, or waited for: it follows the log like a webhook, from a place of its own.
 * M2 What waits for a collector that is away stands in the log, not in memory.
 */
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Needs } from '../../app/context.ts';
import type { EventFeed, FeedEvent } from '../../app/events/event-feed.ts';
import { pause } from '../../base/time.ts';
import type { EventType, StoredRecord } from '../../contracts/events/events.ts';
import { VERSION } from '../../version.ts';
import { Exporter, type ExporterOptions } from './exporter.ts';
import { Position } from './position.ts';
import * as name from './semantics.ts';
import type { TelemetrySettings } from './settings.ts';
import { SpanQueue } from './span-queue.ts';
import { TaskStories } from './task-stories.ts';
import type { TracedRecord } from './task-story.ts';

export interface TelemetryOptions {
  readonly settings: TelemetrySettings;
  readonly app: Needs<'log.history' | 'environment'>;
  readonly feed: EventFeed;
  /** Says how far it is. */
  readonly file: string;
  readonly logger: Logger;
  readonly limits?: Partial<Limits>;
}

export interface Limits extends Pick<ExporterOptions, 'intervalMs' | 'retryMs' | 'maxRetryMs'> {
  /** Milliseconds that the collector may take to answer. */
  readonly timeoutMs: number;
  /** Spans in memory, above which the log is not read on. */
  readonly waiting: number;
}

const LIMITS: Limits = {
  intervalMs: 1_000,
  retryMs: 1_000,
  maxRetryMs: 60_000,
  timeoutMs: 10_000,
  waiting: 2_048,
};
/** Milliseconds after which reading the log is tried again. */
const LOG_PAUSE_MS = 2_000;

/** Those of which spans are made. */
const TYPES: readonly EventType[] = [
  'task.created',
  'task.due',
  'task.dependency_met',
  'task.claimed',
  'task.submitted',
  'task.failure_reported',
  'task.blocked',
  'task.unblocked',
  'task.approved',
  'task.rejected',
  'task.cancelled',
  'task.expired',
  'task.redriven',
  'attempt.started',
  'attempt.suspected',
  'attempt.recovered',
  'attempt.stop_requested',
  'attempt.ended',
];

export class Telemetry {
  readonly #options: TelemetryOptions;
  readonly #queue: SpanQueue;
  readonly #stories: TaskStories;
  readonly #exporter: Exporter;
  readonly #stopped = new AbortController();
  #seen: number;
  #following: Promise<void> = Promise.resolve();

  private constructor(options: TelemetryOptions, position: Position) {
    const { settings, app, logger } = options;
    const { timeoutMs, waiting, ...pace } = { ...LIMITS, ...options.limits };
    this.#options = options;
    this.#seen = position.value;
    this.#queue = new SpanQueue(waiting, position.value);
    this.#stories = new TaskStories(app);
    this.#exporter = new Exporter({
      ...pace,
      collector: { url: settings.url, headers: settings.headers, timeoutMs },
      resource: {
        [name.HOST]: hostname(),
        [name.SERVICE_VERSION]: VERSION,
        ...settings.resource,
        [name.SERVICE]: settings.serviceName,
      },
      queue: this.#queue,
      position,
      environment: app.environment,
      logger,
    });
  }

  /** Rejects with what writing a file rejects with. */
  static async start(options: TelemetryOptions): Promise<Telemetry> {
    const { file, feed, logger } = options;
    const telemetry = new Telemetry(options, await Position.open(file, feed.end, logger));
    telemetry.#following = telemetry.#run();
    telemetry.#exporter.start();
    return telemetry;
  }

  /** Spans in memory. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Sequence of the last record that was looked at. */
  get seen(): number {
    return this.#seen;
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    // Who follows may wait for room, which the exporter makes or does not make any more.
    await this.#exporter.stop();
    this.#queue.close();
    await this.#following;
  }

  async #run(): Promise<void> {
    const { logger, app } = this.#options;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        return await this.#follow();
      } catch (err) {
        logger.warn({ err }, 'the log cannot be read for traces: trying again');
        await pause(LOG_PAUSE_MS, signal, app.environment.clock);
      }
    }
  }

  async #follow(): Promise<void> {
    const { feed } = this.#options;
    const { signal } = this.#stopped;
    const filter = { types: TYPES };
    for await (const { events, upTo } of feed.follow({ after: this.#seen, filter, signal })) {
      for (const event of events) {
        const spans = await this.#stories.evolve(recordOf(event));
        this.#queue.push(event.sequence, spans);
        this.#seen = event.sequence;
        while (this.#queue.isFull && !signal.aborted) await this.#queue.changed();
        if (signal.aborted) return;
      }
      this.#seen = upTo;
      this.#queue.push(upTo);
    }
  }
}

/** Turned back from the text that all followers share. */
function recordOf({ sequence, json }: FeedEvent): TracedRecord {
  const { time, event, transitions } = JSON.parse(json) as Omit<StoredRecord, 'time'> & {
    readonly time: string;
  };
  return { sequence, time: Date.parse(time), event, transitions };
}
