/**
 * Sends spans to the collector, many at once, in their order.
 *
 * E1 At least once: a span is done when the collector has taken it, or has said that it never will. Only then the position
 *    moves on, and it is on the disk before the next spans are sent: after a crash one request may be sent again.
 * E2 A collector that is away or busy costs waiting time here, and nothing anywhere else.
 * E3 What goes wrong is said when it begins and when it is over, not at every try.
 */
import type { Logger } from 'pino';
import type { Environment } from '../../base/environment.ts';
import { pause, untilAborted } from '../../base/time.ts';
import { unreachable } from '../../contracts/errors.ts';
import { exportRequest } from './otlp-json.ts';
import type { Position } from './position.ts';
import { type Collector, type Sent, sendSpans } from './send-spans.ts';
import type { Attributes } from './span.ts';
import type { SpanQueue } from './span-queue.ts';

export interface ExporterOptions {
  readonly collector: Collector;
  readonly resource: Attributes;
  readonly queue: SpanQueue;
  readonly position: Position;
  readonly environment: Environment;
  readonly logger: Logger;
  /** Milliseconds that spans wait for others, to be sent together. */
  readonly intervalMs: number;
  /** Milliseconds until the second try; each time twice as long, at most `maxRetryMs`. */
  readonly retryMs: number;
  readonly maxRetryMs: number;
}

/** Spans of one request. */
const BATCH = 512;
/** A share of the wait before another try. */
const JITTER = 0.2;
/** Milliseconds that a stop waits for the last request. */
const FAREWELL_MS = 2_000;

export class Exporter {
  readonly #options: ExporterOptions;
  readonly #stopping = new AbortController();
  /** Ends the last request too. */
  readonly #cut = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** What the collector did with what it was sent last. */
  #last: Sent['kind'] = 'taken';
  /** Spans that it has refused since it took some. */
  #lost = 0;

  constructor(options: ExporterOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** What waits is tried once more; what is left goes out after the next start. Resolves when nothing is under way. */
  async stop(): Promise<void> {
    const { clock } = this.#options.environment;
    const cancel = clock.schedule(FAREWELL_MS, () => this.#cut.abort());
    this.#stopping.abort();
    await this.#running;
    await this.#flush().catch((err: unknown) => this.#onTrouble(err));
    cancel();
  }

  async #run(): Promise<void> {
    const { queue, intervalMs, maxRetryMs } = this.#options;
    while (!this.#isStopping) {
      if (queue.size === 0) await this.#changed();
      if (queue.size < BATCH) await this.#pause(intervalMs);
      if (this.#isStopping) return;
      try {
        await this.#flush();
      } catch (err) {
        this.#onTrouble(err);
        await this.#pause(maxRetryMs);
      }
    }
  }

  /** Until nothing waits any more; or, at a stop, until something is not taken at once. */
  async #flush(): Promise<void> {
    const { queue, position } = this.#options;
    while (queue.size > 0) {
      const count = Math.min(queue.size, BATCH);
      if (!(await this.#deliver(count))) return;
      queue.done(count);
      await position.save(queue.position);
    }
  }

  /** @returns whether these spans are done */
  async #deliver(count: number): Promise<boolean> {
    const { collector, resource, queue, retryMs, maxRetryMs, environment } = this.#options;
    const request = exportRequest(resource, queue.peek(count));
    for (let wait = retryMs; ; wait = Math.min(wait * 2, maxRetryMs)) {
      const sent = await sendSpans(collector, request, this.#cut.signal);
      this.#note(sent, count);
      if (sent.kind !== 'unavailable') return true;
      const asked = Math.min(sent.afterMs ?? 0, maxRetryMs);
      await this.#pause(Math.max(asked, wait * (1 + JITTER * (2 * environment.random() - 1))));
      if (this.#isStopping) return false;
    }
  }

  /** E3 */
  #note(sent: Sent, spans: number): void {
    const { logger } = this.#options;
    const before = this.#last;
    this.#last = sent.kind;
    if (sent.kind === 'refused') this.#lost += spans;
    if (sent.kind === 'taken' && sent.complaint !== null)
      logger.warn({ reason: sent.complaint }, 'the collector of traces complains');
    if (sent.kind === before) return;
    switch (sent.kind) {
      case 'taken':
        logger.info({ lost: this.#lost }, 'the collector of traces takes spans again');
        this.#lost = 0;
        return;
      case 'refused':
        return logger.error({ reason: sent.reason }, 'the collector refuses spans: they are lost');
      case 'unavailable':
        return logger.warn({ reason: sent.reason }, 'the collector of traces is away: spans wait in the log');
      default:
        return unreachable(sent, 'Exporter');
    }
  }

  #onTrouble(err: unknown): void {
    this.#options.logger.warn({ err }, 'how far the export of spans is could not be written: trying again');
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  #changed(): Promise<void> {
    return untilAborted(this.#stopping.signal, (resolve) => {
      void this.#options.queue.changed().then(resolve);
      return () => {};
    });
  }

  #pause(ms: number): Promise<void> {
    return pause(ms, this.#stopping.signal, this.#options.environment.clock);
  }
}
