/**
 * OpenTelemetry traces: builds spans from the records of the log, and exports them. It follows the log from a position of
 * its own, and the supervisor never waits for it. Spans for an unavailable collector wait in the log, not in memory.
 */
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Needs } from '../../app/context.ts';
import { type EventFeed, type FeedEvent, isLastOfMessage } from '../../app/events/event-feed.ts';
import { pause } from '../../base/time.ts';
import { EVENTS, type EventType, type StoredRecord } from '../../contracts/events/events.ts';
import { VERSION } from '../../version.ts';
import { Exporter, type ExporterOptions, openPosition } from './exporter.ts';
import type { TelemetrySettings } from './settings.ts';
import { SpanBuilders } from './span-builders.ts';
import { SpanQueue } from './span-queue.ts';
import type { TracedRecord } from './task-span.ts';

export interface TelemetryOptions {
  readonly settings: TelemetrySettings;
  readonly app: Needs<'log.history' | 'environment'>;
  readonly feed: EventFeed;
  /** File of the position. */
  readonly file: string;
  readonly logger: Logger;
  readonly limits?: Partial<TelemetryLimits>;
}

export interface TelemetryLimits extends Pick<ExporterOptions, 'intervalMs' | 'retryMs' | 'maxRetryMs'> {
  /** Milliseconds that the collector may take to answer. */
  readonly timeoutMs: number;
  /** Waiting spans, above which the log is not read on. */
  readonly waiting: number;
}

const LIMITS: TelemetryLimits = {
  intervalMs: 1_000,
  retryMs: 1_000,
  maxRetryMs: 60_000,
  timeoutMs: 10_000,
  waiting: 2_048,
};
/** Wait before the log is read again after an error. */
const LOG_PAUSE_MS = 2_000;

/** Events that change no state. */
const IGNORED = new Set<EventType>(['task.progress_reported', 'task.output_added', 'task.comment_added']);
/** Events that spans are built from. */
const TYPES = EVENTS.filter(({ moves }) => moves.some((kind) => kind === 'task' || kind === 'attempt'))
  .map(({ type }) => type)
  .filter((type) => !IGNORED.has(type));

export class Telemetry {
  readonly #options: TelemetryOptions;
  readonly #queue: SpanQueue;
  readonly #builders: SpanBuilders;
  readonly #exporter: Exporter;
  readonly #stopped = new AbortController();
  #seen: number;
  #following: Promise<void> = Promise.resolve();

  private constructor(options: TelemetryOptions, position: number) {
    const { settings, app, logger, file } = options;
    const { timeoutMs, waiting, ...intervals } = { ...LIMITS, ...options.limits };
    this.#options = options;
    this.#seen = position;
    this.#queue = new SpanQueue(waiting, position);
    this.#builders = new SpanBuilders(app);
    this.#exporter = new Exporter({
      ...intervals,
      collector: { url: settings.url, headers: settings.headers, timeoutMs },
      resource: {
        'host.name': hostname(),
        'service.version': VERSION,
        ...settings.resource,
        'service.name': settings.serviceName,
      },
      queue: this.#queue,
      file,
      environment: app.environment,
      logger,
    });
  }

  /** Rejects if the file of the position cannot be written. */
  static async start(options: TelemetryOptions): Promise<Telemetry> {
    const { file, feed, logger } = options;
    const telemetry = new Telemetry(options, await openPosition(file, feed.end, logger));
    telemetry.#following = telemetry.#run();
    telemetry.#exporter.start();
    return telemetry;
  }

  /** Waiting spans. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Sequence of the last record that was read. */
  get seen(): number {
    return this.#seen;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#exporter.stop();
    // The reader may wait for space in the queue.
    this.#queue.wake();
    await this.#following;
  }

  async #run(): Promise<void> {
    const { logger, app } = this.#options;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        return await this.#follow();
      } catch (err) {
        logger.warn({ err }, 'cannot read the log for traces; trying again');
        await pause(LOG_PAUSE_MS, signal, app.environment.clock);
      }
    }
  }

  async #follow(): Promise<void> {
    const { feed } = this.#options;
    const { signal } = this.#stopped;
    for await (const { events, upTo } of feed.follow({
      after: this.#seen,
      filter: { types: TYPES },
      signal,
    })) {
      for (const [index, event] of events.entries()) {
        // Within a message, everything up to the message before it was seen.
        const seen = isLastOfMessage(events, index) ? event.sequence : event.sequence - 1;
        this.#queue.push(event.sequence, await this.#builders.add(recordOf(event)), seen);
        this.#seen = seen;
        while (this.#queue.isFull && !signal.aborted) await this.#queue.changed();
        if (signal.aborted) return;
      }
      this.#seen = upTo;
      this.#queue.push(upTo);
    }
  }
}

/** Parses the text that all followers share. */
function recordOf({ sequence, json }: FeedEvent): TracedRecord {
  const parsed = JSON.parse(json) as Omit<StoredRecord, 'time'> & { readonly time: string };
  const { id, time, event, transitions } = parsed;
  return { sequence, id, time: Date.parse(time), event, transitions };
}
