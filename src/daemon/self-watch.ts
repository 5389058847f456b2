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

const CHECK_MS = 1_000;
/** How long a check of the data directory may take. */
const MAX_CHECK_MS = 10_000;
/** How late the event loop may be. */
const MAX_DELAY_MS = 5_000;
/** How long a late event loop is reported. */
const REPORT_MS = 10_000;

export class SelfWatch {
  readonly #directory: string;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;
  #identity: string | undefined;
  #checkedAt = performance.now();
  #checkingSince: number | null = null;
  #delay: { readonly ms: number; readonly at: number } | null = null;
  #lost: string | null = null;
  #logged: string | null = null;

  /** @param directory the data directory */
  private constructor(directory: string, logger: Logger) {
    this.#directory = directory;
    this.#logger = logger;
    this.#timer = setInterval(() => this.#tick(), CHECK_MS).unref();
  }

  static async start(directory: string, logger: Logger): Promise<SelfWatch> {
    const watch = new SelfWatch(directory, logger);
    watch.#identity = await watch.#identify();
    return watch;
  }

  /** What keeps this process from working; null if nothing does. */
  get obstacle(): string | null {
    const now = performance.now();
    if (this.#lost !== null) return this.#lost;
    if (this.#checkingSince !== null && now - this.#checkingSince > MAX_CHECK_MS) {
      const seconds = Math.round((now - this.#checkingSince) / 1_000);
      return `reading the data directory ${this.#directory} has taken ${seconds} s so far: its file system hangs, or all threads that read files are blocked`;
    }
    if (this.#delay !== null && now - this.#delay.at < REPORT_MS) {
      return `the process stood still for ${Math.round(this.#delay.ms / 1_000)} s: the machine is overloaded, or something blocks it`;
    }
    return null;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = performance.now();
    const ms = now - this.#checkedAt - CHECK_MS;
    this.#checkedAt = now;
    if (ms > MAX_DELAY_MS) this.#delay = { ms, at: now };
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
