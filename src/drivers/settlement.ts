/**
 * Asks for a run that was taken on elsewhere until it is known how it ended. A program that asks is started again and
 * again: each waits there for a while, or finds that nobody answers.
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
  /** null as long as it goes on, or nobody knows. */
  readonly read: (directory: string) => Promise<ProgramEnd | null>;
  readonly spawn: (name: string, invocation: Invocation) => Promise<ManagedProcess>;
  readonly directoryOf: (name: string) => string;
}

/** Between two questions. */
const PAUSE_MS = 2_000;
/** What a question may take beyond its own time when the run is to end. */
const LAST_QUESTION_MS = 5_000;
const KILL_GRACE_MS = 1_000;

export class Settlement {
  /** How it ended; null where that did not come out before it was to stop. Never rejects; pending after `detach`. */
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

  /** Tells the run to end, and asks for it once more. */
  stop(): void {
    this.#stopped.abort();
    void this.#asking?.kill({ graceMs: KILL_GRACE_MS });
  }

  /** The question goes with this process: the next Signalbox asks again. */
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
    if (abort) await this.#ask(abort, LAST_QUESTION_MS);
    return this.#ask(this.#options.wait(), LAST_QUESTION_MS);
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

  /** A directory takes one process, ever: also one that an earlier Signalbox has asked with. */
  async #questionsBefore(): Promise<number> {
    const names = await readdir(dirname(this.#options.directoryOf('settle-1'))).catch(() => []);
    return Math.max(0, ...names.map((name) => Number(/^settle-(\d+)$/.exec(name)?.[1] ?? 0)));
  }
}
