/**
 * The tokens of people, as a running Signalbox knows them. A new or revoked token takes effect within a second, without a restart.
 * If the file becomes unreadable, the tokens known before stay valid; if the tokens are gone, all callers are refused.
 */
import { statSync } from 'node:fs';
import type { Logger } from 'pino';
import { readSmallSync } from '../../base/regular-files.ts';
import type { AccessReport } from '../../contracts/api/system-answers.ts';
import { messageOf } from '../../contracts/errors.ts';
import { type AccessFiles, readAccess, recordAccess } from './access-state.ts';
import {
  hashOf,
  MAX_TOKENS_BYTES,
  parseTokens,
  type Role,
  readTokens,
  type TokenEntry,
} from './tokens-file.ts';

const CHECK_INTERVAL_MS = 1_000;

/** `open`: no token is needed on this machine. `tokens`: each caller needs one. `locked`: there is none, and callers are refused. */
export type AccessState = AccessReport['state'];

/** What to do if all callers are refused. */
export const LOCKED_ADVICE =
  'create a token with "signalbox token new NAME --role admin", or let every user of this machine in with "signalbox token open-access --yes"';
const LOCKED = `there were tokens and there are none now, so all callers but running agents are refused: ${LOCKED_ADVICE}`;

interface PeopleOptions {
  readonly files: AccessFiles;
  readonly logger: Logger;
  /** Milliseconds of a clock that does not jump. */
  readonly now: () => number;
}

export class People {
  readonly #options: PeopleOptions;
  #byHash: ReadonlyMap<string, TokenEntry>;
  #state: AccessState = 'open';
  /** Of the files, as they were read last. */
  #stamp: string | null = null;
  #checkedAt = Number.NEGATIVE_INFINITY;
  /** Resolved when what is known is recorded. */
  #recorded: Promise<void> = Promise.resolve();

  private constructor(options: PeopleOptions, tokens: readonly TokenEntry[]) {
    this.#options = options;
    this.#byHash = index(tokens);
    this.#judge();
  }

  /** @param now milliseconds of a clock that does not jump. @throws SignalboxError `config_invalid` */
  static async open(files: AccessFiles, logger: Logger, now: () => number): Promise<People> {
    const people = new People({ files, logger, now }, await readTokens(files.tokens));
    await people.#recorded;
    return people;
  }

  get state(): AccessState {
    this.#refresh();
    return this.#state;
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  get isEmpty(): boolean {
    this.#refresh();
    return this.#byHash.size === 0;
  }

  find(token: string): { readonly name: string; readonly role: Role } | null {
    this.#refresh();
    return this.#byHash.get(hashOf(token)) ?? null;
  }

  /** For the health of Signalbox. */
  report(): AccessReport {
    const { state } = this;
    return { state, warning: state === 'locked' ? LOCKED : null };
  }

  /** Synchronous, since a request waits for it; for unchanged files it takes microseconds. */
  #refresh(): void {
    const { files, logger, now } = this.#options;
    const at = now();
    if (at - this.#checkedAt < CHECK_INTERVAL_MS) return;
    this.#checkedAt = at;
    const stamp = `${stampOf(files.tokens)} ${stampOf(files.state)}`;
    if (stamp === this.#stamp) return;
    try {
      this.#byHash = index(parseTokens(textOf(files.tokens), files.tokens));
      this.#stamp = stamp;
    } catch (err) {
      logger.error(
        { err, file: files.tokens },
        'could not read the tokens again; the tokens known before stay valid',
      );
    }
    this.#judge();
  }

  /** Closed access is opened by a recorded decision only: files that are missing do not count as one. */
  #judge(): void {
    const { files, logger } = this.#options;
    const before = this.#state;
    const recorded = readAccess(files);
    const wasClosed = before !== 'open' || recorded === 'closed';
    if (this.#byHash.size > 0) this.#state = 'tokens';
    else this.#state = recorded !== 'open' && wasClosed ? 'locked' : 'open';
    if (this.#state !== 'open' && recorded !== 'closed')
      this.#recorded = this.#recorded.then(() => this.#close());
    if (this.#state === before) return;
    if (this.#state === 'locked') logger.warn(LOCKED);
    else if (this.#state === 'open')
      logger.warn('an operator has opened access: every user of this machine gets in without a token');
  }

  /** Never rejects. Requests do not wait: this process knows it already. */
  async #close(): Promise<void> {
    const { files, logger } = this.#options;
    try {
      await recordAccess(files, 'closed', Date.now());
    } catch (err) {
      logger.error(
        { err, file: files.state },
        'could not record that access needs a token: it stays closed until Signalbox stops, but would be open after the next start without tokens',
      );
    }
  }
}

function index(tokens: readonly TokenEntry[]): ReadonlyMap<string, TokenEntry> {
  return new Map(tokens.map((each) => [each.sha256, each]));
}

/** Changes with the file. Never throws: a directory on the way may have been replaced. */
function stampOf(file: string): string {
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat === undefined ? 'none' : `${stat.ino}/${stat.size}/${stat.mtimeMs}`;
  } catch (error) {
    return messageOf(error);
  }
}

/** null if there is no file. @throws NotRegularError */
function textOf(file: string): string | null {
  return readSmallSync(file, MAX_TOKENS_BYTES, { followLinks: true })?.text ?? null;
}
