/**
 * Finds out how a run ended that continues outside its process (spec.ts, `settle`): starts the driver's `wait` command again
 * and again until one of them reports the end.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from '../base/time.ts';
import { SignalboxError } from '../contracts/errors.ts';
import type { ManagedProcess } from '../process/runner.ts';
import type { Invocation, ProgramEnd, Settling } from './program.ts';

type Spawn = (name: string, invocation: Invocation) => Promise<ManagedProcess>;

const PAUSE_MS = 2_000;
/** How long the last commands may take, after the run was told to end. */
const MAX_LAST_ASK_MS = 5_000;
const KILL_GRACE_MS = 1_000;

export class Settlement {
  /** How it ended; null if that was not known when it was stopped. Never rejects; pending after `detach`. */
  readonly end: Promise<ProgramEnd | null>;
  lastSignAt = Date.now();
  readonly #settling: Settling;
  readonly #directory: string;
  readonly #spawn: Spawn;
  readonly #stopped = new AbortController();
  #isDetached = false;
  #asking: ManagedProcess | undefined;
  #number = 0;

  /** @param directory of the attempt; each command gets a subdirectory of its own */
  constructor(settling: Settling, directory: string, spawn: Spawn) {
    this.#settling = settling;
    this.#directory = directory;
    this.#spawn = spawn;
    this.end = new Promise((resolve) => {
      void this.#settle()
        .catch(() => null)
        .then((end) => {
          if (!this.#isDetached) resolve(end);
        });
    });
  }

  /** Ends the run, and asks a last time how it ended. */
  stop(): void {
    this.#stopped.abort();
    void this.#asking?.kill({ graceMs: KILL_GRACE_MS });
  }

  /** Ends the running command: the next Signalbox starts it again. */
  detach(): void {
    this.#isDetached = true;
    this.#stopped.abort();
    void this.#asking?.kill({ graceMs: KILL_GRACE_MS });
  }

  async #settle(): Promise<ProgramEnd | null> {
    this.#number = await this.#lastNumber();
    while (!this.#stopped.signal.aborted) {
      const end = await this.#ask(this.#settling.wait());
      if (end) return end;
      await pause(PAUSE_MS, this.#stopped.signal);
    }
    if (this.#isDetached) return null;
    const abort = this.#settling.abort();
    if (abort) await this.#ask(abort, MAX_LAST_ASK_MS);
    return this.#ask(this.#settling.wait(), MAX_LAST_ASK_MS);
  }

  async #ask(invocation: Invocation, limitMs?: number): Promise<ProgramEnd | null> {
    this.#number++;
    const name = `settle-${this.#number}`;
    const asking = await this.#spawn(name, invocation).catch((error: unknown) => {
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
    return this.#settling.read(join(this.#directory, name));
  }

  /** The highest number that was used, also by an earlier Signalbox: each process needs a directory of its own. */
  async #lastNumber(): Promise<number> {
    const names = await readdir(this.#directory).catch(() => []);
    return Math.max(0, ...names.map((name) => Number(/^settle-(\d+)$/.exec(name)?.[1] ?? 0)));
  }
}
