/**
 * Sends spans to a collector over OTLP/HTTP, in batches and in order.
 *
 * At least once: a span is done when the collector has accepted or refused it. Then the position moves on, and is on the
 * disk before the next batch is sent: after a crash, one batch may be sent again. A failing collector is logged when it
 * begins to fail and when it recovers, not at every attempt.
 */

import type { Logger } from 'pino';
import { z } from 'zod';
import type { Environment } from '../../base/environment.ts';
import { fetchFailure, messageOf } from '../../base/errors.ts';
import { readJson, writeJson } from '../../base/files.ts';
import { cutText } from '../../base/text/cut-text.ts';
import { limitedSignal, pause, untilAborted } from '../../base/time.ts';
import { type Attributes, exportRequest } from './span.ts';
import type { SpanQueue } from './span-queue.ts';

export interface Collector {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds that it may take to answer. */
  readonly timeoutMs: number;
}

export interface ExporterOptions {
  readonly collector: Collector;
  readonly resource: Attributes;
  readonly queue: SpanQueue;
  /** File of the position. */
  readonly file: string;
  readonly environment: Environment;
  readonly logger: Logger;
  /** Milliseconds that spans wait for others, to be sent together. */
  readonly intervalMs: number;
  /** Milliseconds until the first retry; doubled for each further one, up to `maxRetryMs`. */
  readonly retryMs: number;
  readonly maxRetryMs: number;
}

const BATCH_SPANS = 512;
/** Share of the wait before a retry. */
const JITTER = 0.2;
/** How long `stop` waits for the last request. */
const STOP_MS = 2_000;

export class Exporter {
  readonly #options: ExporterOptions;
  readonly #stopping = new AbortController();
  /** Aborts the last request. */
  readonly #requestAbort = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** How the last request ended. */
  #last: Sent['kind'] = 'accepted';
  /** Spans that were refused since a request was accepted. */
  #lost = 0;

  constructor(options: ExporterOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Tries to send the waiting spans once; those that are left are sent after the next start. */
  async stop(): Promise<void> {
    const cancel = this.#options.environment.clock.schedule(STOP_MS, () => this.#requestAbort.abort());
    this.#stopping.abort();
    await this.#running;
    await this.#flush().catch((err: unknown) => this.#warn(err));
    cancel();
  }

  async #run(): Promise<void> {
    const { queue, intervalMs, maxRetryMs } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      if (queue.size === 0) {
        await untilAborted(signal, (resolve) => {
          void queue.changed().then(resolve);
          return () => {};
        });
      }
      if (queue.size < BATCH_SPANS) await this.#pause(intervalMs);
      if (signal.aborted) return;
      try {
        await this.#flush();
      } catch (err) {
        this.#warn(err);
        await this.#pause(maxRetryMs);
      }
    }
  }

  /** Sends until the queue is empty; during a stop, until a batch is not accepted at once. */
  async #flush(): Promise<void> {
    const { queue, file } = this.#options;
    while (queue.size > 0) {
      const count = Math.min(queue.size, BATCH_SPANS);
      if (!(await this.#deliver(count))) return;
      queue.done(count);
      await writeJson(file, { position: queue.position });
    }
  }

  /** @returns whether these spans are done */
  async #deliver(count: number): Promise<boolean> {
    const { collector, resource, queue, retryMs, maxRetryMs, environment } = this.#options;
    const request = exportRequest(resource, queue.peek(count));
    for (let wait = retryMs; ; wait = Math.min(wait * 2, maxRetryMs)) {
      const sent = await sendSpans(collector, request, this.#requestAbort.signal);
      this.#log(sent, count);
      if (sent.kind !== 'unavailable') return true;
      const requested = Math.min(sent.retryAfterMs ?? 0, maxRetryMs);
      await this.#pause(Math.max(requested, wait * (1 + JITTER * (2 * environment.random() - 1))));
      if (this.#stopping.signal.aborted) return false;
    }
  }

  #log(sent: Sent, spans: number): void {
    const { logger } = this.#options;
    const before = this.#last;
    this.#last = sent.kind;
    const { kind, reason } = sent;
    if (kind === 'refused') this.#lost += spans;
    if (kind === 'accepted' && reason !== null)
      logger.warn({ reason }, 'the trace collector rejected some spans');
    if (kind === before) return;
    if (kind === 'accepted') {
      logger.info({ lost: this.#lost }, 'the trace collector accepts spans again');
      this.#lost = 0;
    } else if (kind === 'refused') {
      logger.error({ reason }, 'the trace collector refuses spans: they are lost');
    } else {
      logger.warn({ reason }, 'the trace collector is unavailable: spans wait in the log');
    }
  }

  #warn(err: unknown): void {
    const { logger, file } = this.#options;
    logger.warn({ err, file }, `could not save the export position: ${messageOf(err)}; trying again`);
  }

  #pause(ms: number): Promise<void> {
    return pause(ms, this.#stopping.signal, this.#options.environment.clock);
  }
}

const positionSchema = z.strictObject({ position: z.int().min(0) });

/**
 * The record up to which all spans are exported. A new export, or one whose file cannot be read, starts at the end of the
 * log: missing traces are no reason not to start.
 * @param end sequence of the last record
 */
export async function openPosition(file: string, end: number, logger: Logger): Promise<number> {
  const saved = await readJson(file, positionSchema).catch((err: unknown) => {
    logger.warn({ err, file }, 'cannot read export position; starting with new events');
    return null;
  });
  const position = saved !== null && saved.position <= end ? saved.position : end;
  // Saved at once: events that happen while Signalbox is down are exported later.
  await writeJson(file, { position });
  return position;
}

type Sent =
  /** `reason` is why some of the spans were rejected. */
  | { readonly kind: 'accepted'; readonly reason: string | null }
  /** Sending these spans again is useless. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The spans may be accepted later; `retryAfterMs` is the wait that the collector asks for. */
  | { readonly kind: 'unavailable'; readonly reason: string; readonly retryAfterMs: number | null };

/** The statuses for which OTLP allows a retry. */
const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** In characters. */
const MAX_REASON = 300;

/** Never rejects. @param request the text of an ExportTraceServiceRequest */
async function sendSpans(
  { url, headers, timeoutMs }: Collector,
  request: string,
  signal: AbortSignal,
): Promise<Sent> {
  using limited = limitedSignal(signal, timeoutMs);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: request,
      // The headers may contain a key, which must not reach another host.
      redirect: 'manual',
      signal: limited.signal,
    });
    const text = await response.text();
    const { status } = response;
    if (response.ok) return { kind: 'accepted', reason: rejectionIn(text) };
    const reason = `it answered ${status} ${cutText(text.trim(), MAX_REASON)}`.trim();
    if (!RETRYABLE_STATUSES.has(status)) return { kind: 'refused', reason };
    return { kind: 'unavailable', reason, retryAfterMs: retryAfter(response.headers.get('retry-after')) };
  } catch (error) {
    return { kind: 'unavailable', reason: `it ${fetchFailure(error, timeoutMs)}`, retryAfterMs: null };
  }
}

const partialSuccessSchema = z.object({
  partialSuccess: z.object({
    rejectedSpans: z.coerce.number().default(0),
    errorMessage: z.string().default(''),
  }),
});

/** What the collector says about rejected spans. Some answer with another text: they have accepted all spans. */
function rejectionIn(text: string): string | null {
  try {
    const { rejectedSpans, errorMessage } = partialSuccessSchema.parse(JSON.parse(text)).partialSuccess;
    if (rejectedSpans === 0 && errorMessage === '') return null;
    return `${rejectedSpans} spans rejected: ${cutText(errorMessage, MAX_REASON)}`;
  } catch {
    return null;
  }
}

/** In milliseconds. Ignores the form with a date, which needs synchronised clocks. */
function retryAfter(text: string | null): number | null {
  return text !== null && /^\d{1,6}$/.test(text.trim()) ? Number(text) * 1_000 : null;
}
