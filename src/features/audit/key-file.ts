/**
 * The signing key in the data directory.
 *
 * K1 The private key is in this file (mode 0600) and in no other place: no log, no answer and no command shows it.
 * K2 A rotation writes the new key beside the old one, and takes its place only when the log has it: after a crash
 *    in between the old one is still the one in use.
 */
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceDurably } from '../../base/files.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { generateKey, readPrivateKey, type SigningKey } from './keys.ts';

export class KeyFile {
  readonly #directory: string;

  /** @param dataDirectory the key is kept in `audit/` below it */
  constructor(dataDirectory: string) {
    this.#directory = join(dataDirectory, 'audit');
  }

  get path(): string {
    return join(this.#directory, 'signing-key.pem');
  }

  get #nextPath(): string {
    return join(this.#directory, 'next-signing-key.pem');
  }

  /** The key; made at the first call. @throws SignalboxError `config_invalid` for a file that cannot be used */
  async load(): Promise<SigningKey> {
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await writeOnce(this.path, generateKey);
      return readPrivateKey(await readFile(this.path, 'utf8'));
    } catch (cause) {
      throw new SignalboxError(
        'config_invalid',
        `the signing key ${this.path} cannot be used: ${messageOf(cause)}. Restore it; or delete it to begin with a new one, for which no earlier key vouches`,
        { cause, details: { file: this.path } },
      );
    }
  }

  /** A key that is to take the place of the present one: an earlier, unfinished rotation's where there is one. */
  async prepareNext(): Promise<SigningKey> {
    await writeOnce(this.#nextPath, generateKey);
    return readPrivateKey(await readFile(this.#nextPath, 'utf8'));
  }

  /** The log has the next key: it is the present one from now on. */
  async adoptNext(): Promise<void> {
    await rename(this.#nextPath, this.path);
  }

  /** The key of a rotation that did not come to its end; null where there is none. */
  async unfinished(): Promise<SigningKey | null> {
    try {
      return readPrivateKey(await readFile(this.#nextPath, 'utf8'));
    } catch {
      await rm(this.#nextPath, { force: true });
      return null;
    }
  }

  /** Keeps the newest checkpoint outside the log: a log that comes back shorter is known by it. */
  async noteCheckpoint(checkpoint: object): Promise<void> {
    await replaceDurably(lastCheckpointFile(this.#directory), `${JSON.stringify(checkpoint)}\n`);
  }
}

/** The key, wherever it is kept. */
export type SigningKeys = Pick<KeyFile, keyof KeyFile>;

export function lastCheckpointFile(auditDirectory: string): string {
  return join(auditDirectory, 'last-checkpoint.json');
}

async function writeOnce(file: string, make: () => SigningKey): Promise<void> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw error;
  }
  try {
    await handle.writeFile(make().privatePem());
    await handle.sync();
  } finally {
    await handle.close();
  }
}
