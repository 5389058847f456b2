/**
 * The tokens of people, as a running Signalbox knows them.
 *
 * E1 A token that was made or revoked counts within a second, without a restart.
 * E2 A file that cannot be understood changes nothing: what was known goes on to count, and it is said in the log.
 */
import { readFileSync, statSync } from 'node:fs';
import type { Logger } from 'pino';
import { hashOf, parseTokens, type Role, readTokens, type TokenEntry } from './tokens-file.ts';

const LOOK_INTERVAL_MS = 1_000;

export class People {
  readonly #file: string;
  readonly #logger: Logger;
  readonly #now: () => number;
  #byHash: ReadonlyMap<string, TokenEntry>;
  #stamp: string | null;
  #lookedAt: number;

  private constructor(file: string, logger: Logger, now: () => number, tokens: readonly TokenEntry[]) {
    this.#file = file;
    this.#logger = logger;
    this.#now = now;
    this.#byHash = index(tokens);
    this.#stamp = null;
    this.#lookedAt = Number.NEGATIVE_INFINITY;
  }

  /** @param now milliseconds of a clock that does not jump. @throws SignalboxError `config_invalid` */
  static async open(file: string, logger: Logger, now: () => number): Promise<People> {
    return new People(file, logger, now, await readTokens(file));
  }

  get isEmpty(): boolean {
    this.#look();
    return this.#byHash.size === 0;
  }

  find(token: string): { readonly name: string; readonly role: Role } | null {
    this.#look();
    return this.#byHash.get(hashOf(token)) ?? null;
  }

  /** Synchronous, since a request waits for it; a look at a file that has not changed takes microseconds. */
  #look(): void {
    const now = this.#now();
    if (now - this.#lookedAt < LOOK_INTERVAL_MS) return;
    this.#lookedAt = now;
    try {
      const stat = statSync(this.#file, { throwIfNoEntry: false });
      const stamp = stat === undefined ? 'none' : `${stat.ino}/${stat.size}/${stat.mtimeMs}`;
      if (stamp === this.#stamp) return;
      const text = stat === undefined ? null : readFileSync(this.#file, 'utf8');
      this.#byHash = index(parseTokens(text, this.#file));
      this.#stamp = stamp;
    } catch (err) {
      this.#logger.error({ err, file: this.#file }, 'the tokens could not be read again: the old ones count');
    }
  }
}

function index(tokens: readonly TokenEntry[]): ReadonlyMap<string, TokenEntry> {
  return new Map(tokens.map((each) => [each.sha256, each]));
}
