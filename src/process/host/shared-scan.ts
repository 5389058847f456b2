import { setTimeout as pause } from 'node:timers/promises';
import { ProcessIndex } from './process-index.ts';
import type { ProcessTable } from './process-table.ts';

/** After a scan that took one millisecond, the next one waits for three: kills in a row cannot fill the event loop. */
const REST_FACTOR = 3;
const REST_MS_MAX = 100;

interface Request {
  markersSince: string | undefined;
  readonly result: Promise<ProcessIndex>;
}

/**
 * Looks at the process table for everyone who asks at the same time.
 *
 * C1. A scan begins after the call that it answers: what the caller did before is visible in it.
 * C2. There is one scan at a time; whoever asks while it runs shares the next one.
 */
export class SharedScan {
  readonly #table: ProcessTable;
  #waiting: Request | undefined;
  #lastScan: Promise<unknown> = Promise.resolve();
  #restUntil = 0;

  constructor(table: ProcessTable) {
    this.#table = table;
  }

  /** All processes; with the markers of those that started at or after `markersSince`. */
  scan(markersSince?: string): Promise<ProcessIndex> {
    this.#waiting ??= this.#schedule();
    const request = this.#waiting;
    if (markersSince !== undefined) {
      const since = request.markersSince;
      request.markersSince =
        since === undefined || Number(markersSince) < Number(since) ? markersSince : since;
    }
    return request.result;
  }

  #schedule(): Request {
    const result = this.#lastScan.then(async () => {
      const restMs = this.#restUntil - performance.now();
      if (restMs > 0) await pause(restMs);
      return this.#run();
    });
    this.#lastScan = result.catch(() => undefined);
    return { markersSince: undefined, result };
  }

  async #run(): Promise<ProcessIndex> {
    const markersSince = this.#waiting?.markersSince;
    this.#waiting = undefined; // C1: whoever asks from now on gets the next scan
    const start = performance.now();
    try {
      return new ProcessIndex(await this.#table.scan(markersSince === undefined ? {} : { markersSince }));
    } finally {
      const end = performance.now();
      this.#restUntil = end + Math.min((end - start) * REST_FACTOR, REST_MS_MAX);
    }
  }
}
