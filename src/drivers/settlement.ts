/**
 * Asks for a run that goes on elsewhere until its end is known. A program that asks is started again and again: each waits
 * there for a while, or gets no answer.
 */
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SignalboxError } from '../contracts/errors.ts';
import type { ManagedProcess } from '../process/runner.ts';
import type { Invocation, ProgramEnd } from './program.ts';

export interface SettlementOptions {
  readonly wait: () => Invocation;
  readonly abort: () => Invocation | null;
  /** Null as long as it goes on or its end is not known. */
  readonly read: (directory: string) => Promise<ProgramEnd | null>;
  readonly spawn: (name: string, invocation: Invocation) => Promise<ManagedProcess>;
  readonly directoryOf: (name: string) => string;
}

const PAUSE_MS = 2_000;
/** How long a question may take after the run was told to end. */
const MAX_LAST_QUESTION_MS = 5_000;
const KILL_GRACE_MS = 1_000;

export class Settlement {
  /** How it ended; null if that was not known when it was stopped. Never rejects; pending after `detach`. */
  readonly end: Promise<ProgramEnd | null>;
  lastSignAt = Date.now();
  readonly #options: SettlementOptions;
  readonly #stopped = new AbortController();
  #isDetached = false;
  #asking: ManagedProcess | undefined;
  #number = 0;

  constructor(options: SettlementOptions) {
    this.#options = options;
    this.end = new Promise((resolve) => {
      void this.#settle()
        .catch(() => null)
        .then((end) => {
          if (!this.#isDetached) resolve(end);
        });
    });
  }

  /** Tells the run to end, and asks once more how it ended. */
  stop(): void {
    this.#stopped.abort();
    void this.#asking?.kill({ graceMs: KILL_GRACE_MS });
  }

  /** Ends the program that asks: the next Signalbox asks again. */
  detach(): void {
    this.#isDetached = true;
    this.#stopped.abort();
    void this.#asking?.kill({ graceMs: KILL_GRACE_MS });
  }

  async #settle(): Promise<ProgramEnd | null> {
    this.#number = await this.#questionsBefore();
    while (!this.#stopped.signal.aborted) {
      const end = await this.#ask(this.#options.wait());
      if (end) return end;
      await pause(PAUSE_MS, undefined, { signal: this.#stopped.signal }).catch(() => {});
    }
    if (this.#isDetached) return null;
    const abort = this.#options.abort();
    if (abort) await this.#ask(abort, MAX_LAST_QUESTION_MS);
    return this.#ask(this.#options.wait(), MAX_LAST_QUESTION_MS);
  }

  async #ask(invocation: Invocation, limitMs?: number): Promise<ProgramEnd | null> {
    this.#number++;
    const name = `settle-${this.#number}`;
    const asking = await this.#options.spawn(name, invocation).catch((error: unknown) => {
      if (error instanceof SignalboxError && error.code === 'spawn_failed') return null;
      throw error;
    });
    if (!asking) return null;
    this.#asking = asking;
    const limit =
      limitMs === undefined ? undefined : setTimeout(() => void asking.kill({ graceMs: 0 }), limitMs);
    const { exit } = await asking.exited;
    clearTimeout(limit);
    this.#asking = undefined;
    await asking.kill({ graceMs: 0 });
    if (exit.kind !== 'exited' || exit.code !== 0) return null;
    this.lastSignAt = Date.now();
    return this.#options.read(this.#options.directoryOf(name));
  }

  /** The highest number that was used, also by an earlier Signalbox: each process needs a directory of its own. */
  async #questionsBefore(): Promise<number> {
    const names = await readdir(dirname(this.#options.directoryOf('settle-1'))).catch(() => []);
    return Math.max(0, ...names.map((name) => Number(/^settle-(\d+)$/.exec(name)?.[1] ?? 0)));
  }
}
