/**
 * The tokens of people, as a running Signalbox knows them. A new or revoked token takes effect within a second, without a restart.
 * If the file becomes unreadable, the tokens known before stay valid, and a warning is logged.
 */
import { statSync } from 'node:fs';
import type { Logger } from 'pino';
import { readSmallSync } from '../../base/regular-files.ts';
import {
  hashOf,
  MAX_TOKENS_BYTES,
  parseTokens,
  type Role,
  readTokens,
  type TokenEntry,
} from './tokens-file.ts';

const CHECK_INTERVAL_MS = 1_000;

export class People {
  readonly #file: string;
  readonly #logger: Logger;
  readonly #now: () => number;
  #byHash: ReadonlyMap<string, TokenEntry>;
  #stamp: string | null;
  #checkedAt: number;

  private constructor(file: string, logger: Logger, now: () => number, tokens: readonly TokenEntry[]) {
    this.#file = file;
    this.#logger = logger;
    this.#now = now;
    this.#byHash = index(tokens);
    this.#stamp = null;
    this.#checkedAt = Number.NEGATIVE_INFINITY;
  }

  /** @param now milliseconds of a clock that does not jump. @throws SignalboxError `config_invalid` */
  static async open(file: string, logger: Logger, now: () => number): Promise<People> {
    return new People(file, logger, now, await readTokens(file));
  }

  get isEmpty(): boolean {
    this.#refresh();
    return this.#byHash.size === 0;
  }

  find(token: string): { readonly name: string; readonly role: Role } | null {
    this.#refresh();
    return this.#byHash.get(hashOf(token)) ?? null;
  }

  /** Synchronous, since a request waits for it; for an unchanged file it takes microseconds. */
  #refresh(): void {
    const now = this.#now();
    if (now - this.#checkedAt < CHECK_INTERVAL_MS) return;
    this.#checkedAt = now;
    try {
      const stat = statSync(this.#file, { throwIfNoEntry: false });
      const stamp = stat === undefined ? 'none' : `${stat.ino}/${stat.size}/${stat.mtimeMs}`;
      if (stamp === this.#stamp) return;
      const text = readSmallSync(this.#file, MAX_TOKENS_BYTES, { followLinks: true })?.text ?? null;
      this.#byHash = index(parseTokens(text, this.#file));
      this.#stamp = stamp;
    } catch (err) {
      this.#logger.error(
        { err, file: this.#file },
        'could not read the tokens again; the tokens known before stay valid',
      );
    }
  }
}

function index(tokens: readonly TokenEntry[]): ReadonlyMap<string, TokenEntry> {
  return new Map(tokens.map((each) => [each.sha256, each]));
}
