/**
 * Watches what this process itself depends on: its event loop, the threads that read files, and its data directory.
 *
 * A blocked event loop answers nothing, so it shows only afterwards; blocked threads and a deleted data directory would
 * otherwise not show at all while requests are answered from memory.
 */
import { type BigIntStats, promises as fs } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { messageOf } from '../contracts/errors.ts';

/** Milliseconds. */
export interface SelfWatchLimits {
  /** Between two checks. */
  readonly checkMs: number;
  /** How long a check of the data directory may take. */
  readonly maxCheckMs: number;
  /** How late the event loop may be. */
  readonly maxDelayMs: number;
  /** How long a late event loop is reported. */
  readonly reportMs: number;
}

const LIMITS: SelfWatchLimits = {
  checkMs: 1_000,
  maxCheckMs: 10_000,
  maxDelayMs: 5_000,
  reportMs: 10_000,
};

export class SelfWatch {
  readonly #directory: string;
  readonly #logger: Logger;
  readonly #limits: SelfWatchLimits;
  readonly #timer: NodeJS.Timeout;
  #identity: string | undefined;
  #checkedAt = performance.now();
  #checkingSince: number | null = null;
  #delay: { readonly ms: number; readonly at: number } | null = null;
  #lost: string | null = null;
  #logged: string | null = null;

  /** @param directory the data directory */
  private constructor(directory: string, logger: Logger, limits: SelfWatchLimits) {
    this.#directory = directory;
    this.#logger = logger;
    this.#limits = limits;
    this.#timer = setInterval(() => this.#tick(), limits.checkMs).unref();
  }

  static async start(directory: string, logger: Logger, limits = LIMITS): Promise<SelfWatch> {
    const watch = new SelfWatch(directory, logger, limits);
    watch.#identity = await watch.#identify();
    return watch;
  }

  /** What keeps this process from working; null if nothing does. */
  get obstacle(): string | null {
    const now = performance.now();
    if (this.#lost !== null) return this.#lost;
    if (this.#checkingSince !== null && now - this.#checkingSince > this.#limits.maxCheckMs) {
      const seconds = Math.round((now - this.#checkingSince) / 1_000);
      return `reading the data directory ${this.#directory} has taken ${seconds} s so far: its file system hangs, or all threads that read files are blocked`;
    }
    if (this.#delay !== null && now - this.#delay.at < this.#limits.reportMs) {
      return `the process stood still for ${Math.round(this.#delay.ms / 1_000)} s: the machine is overloaded, or something blocks it`;
    }
    return null;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = performance.now();
    const ms = now - this.#checkedAt - this.#limits.checkMs;
    this.#checkedAt = now;
    if (ms > this.#limits.maxDelayMs) this.#delay = { ms, at: now };
    if (this.#checkingSince === null) void this.#check();
    this.#log();
  }

  async #check(): Promise<void> {
    this.#checkingSince = performance.now();
    try {
      const identity = await this.#identify();
      this.#lost = identity === this.#identity ? null : this.#lostText('was replaced');
    } catch (error) {
      this.#lost = this.#lostText(`is gone or damaged (${messageOf(error)})`);
    } finally {
      this.#checkingSince = null;
    }
  }

  #lostText(what: string): string {
    return `the data directory ${this.#directory} ${what} while Signalbox was running: restore it, or stop Signalbox and start it again`;
  }

  /** The directory and the secret in it, as the file system numbers them. */
  async #identify(): Promise<string> {
    const number = ({ dev, ino }: BigIntStats): string => `${dev}:${ino}`;
    const directory = await fs.stat(this.#directory, { bigint: true });
    const secret = await fs.lstat(join(this.#directory, 'secret'), { bigint: true });
    return `${number(directory)} ${number(secret)}`;
  }

  #log(): void {
    const { obstacle } = this;
    const kind = obstacle?.replaceAll(/\d+/g, '') ?? null;
    if (kind === this.#logged) return;
    this.#logged = kind;
    if (obstacle === null)
      this.#logger.info('the data directory, the threads and the event loop are usable again');
    else this.#logger.error(`takes no new tasks: ${obstacle}`);
  }
}
