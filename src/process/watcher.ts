/** Polls all running processes at an interval. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Host } from './host/host.ts';
import type { ProcessIndex } from './host/scans.ts';

/** A poll of hundreds of processes lets other work run after this time. */
const SLICE_MS = 2;

export interface Watched {
  /** Called once per interval with a scan of all processes. */
  observe(index: ProcessIndex): Promise<void>;
}

/** One timer for all processes. It runs only while something is watched and never keeps this process alive. */
export class Watcher {
  readonly #host: Host;
  readonly #intervalMs: number;
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;
  #polling = false;

  constructor(host: Host, intervalMs: number) {
    this.#host = host;
    this.#intervalMs = intervalMs;
  }

  add(watched: Watched): void {
    this.#watched.add(watched);
    this.#schedule();
  }

  remove(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#polling || this.#watched.size === 0) return;
    this.#timer = setTimeout(() => void this.#poll(), this.#intervalMs).unref();
  }

  async #poll(): Promise<void> {
    this.#timer = undefined;
    this.#polling = true;
    try {
      await this.#observeAll(await this.#host.scans.scan());
    } catch (error) {
      this.#host.log.error(
        { err: error },
        'cannot read the process table; agents are not watched until it can be read',
      );
    } finally {
      this.#polling = false;
      this.#schedule();
    }
  }

  async #observeAll(index: ProcessIndex): Promise<void> {
    const observations: Promise<void>[] = [];
    let sliceEnd = performance.now() + SLICE_MS;
    for (const watched of [...this.#watched]) {
      observations.push(this.#observe(watched, index));
      if (performance.now() < sliceEnd) continue;
      await nextTurn();
      sliceEnd = performance.now() + SLICE_MS;
    }
    await Promise.all(observations);
  }

  async #observe(watched: Watched, index: ProcessIndex): Promise<void> {
    try {
      await watched.observe(index);
    } catch (error) {
      this.#host.log.error({ err: error }, 'cannot observe a process; trying again at the next poll');
    }
  }
}
