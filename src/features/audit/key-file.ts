/**
 * The signing key in the data directory. The private key is in this file (mode 0600) and nowhere else: not in the log, in
 * answers or in the output of commands.
 *
 * A rotation writes the new key to a second file, which replaces the first only after the log has the new key. After a
 * crash in between, the old key is still in use.
 */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readText, writeJson } from '../../base/files.ts';
import { hasCode, messageOf, SignalboxError } from '../../contracts/errors.ts';
import { generateKey, readPrivateKey, type SigningKey } from './keys.ts';

export class KeyFile {
  readonly #directory: string;

  /** @param dataDirectory the key is in its subdirectory `audit` */
  constructor(dataDirectory: string) {
    this.#directory = join(dataDirectory, 'audit');
  }

  get path(): string {
    return join(this.#directory, 'signing-key.pem');
  }

  get #nextPath(): string {
    return join(this.#directory, 'next-signing-key.pem');
  }

  /** The key, created if there is none. @throws SignalboxError `config_invalid` if the file cannot be used */
  async load(): Promise<SigningKey> {
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await createIfMissing(this.path);
      return readPrivateKey(await readText(this.path));
    } catch (cause) {
      throw new SignalboxError(
        'config_invalid',
        `cannot use the signing key ${this.path}: ${messageOf(cause)}. Restore the file, or delete it to start with a new key, for which no earlier key vouches`,
        { cause, details: { file: this.path } },
      );
    }
  }

  /** The successor of the present key: that of an unfinished rotation, or a new one. */
  async prepareNext(): Promise<SigningKey> {
    await createIfMissing(this.#nextPath);
    return readPrivateKey(await readText(this.#nextPath));
  }

  /** Replaces the present key by the next one, which the log has. */
  async adoptNext(): Promise<void> {
    await rename(this.#nextPath, this.path);
  }

  /** The key of an unfinished rotation; null if there is none. */
  async unfinished(): Promise<SigningKey | null> {
    try {
      return readPrivateKey(await readText(this.#nextPath));
    } catch {
      await rm(this.#nextPath, { force: true });
      return null;
    }
  }

  /** Keeps the newest checkpoint outside the log, so that a truncated log is detected. */
  async noteCheckpoint(checkpoint: object): Promise<void> {
    await writeJson(lastCheckpointFile(this.#directory), checkpoint);
  }
}

/** Where the signing key is kept. */
export type SigningKeys = Pick<KeyFile, keyof KeyFile>;

export function lastCheckpointFile(auditDirectory: string): string {
  return join(auditDirectory, 'last-checkpoint.json');
}

async function createIfMissing(file: string): Promise<void> {
  const key = generateKey().privatePem();
  await writeFile(file, key, { flag: 'wx', mode: 0o600, flush: true }).catch((error: unknown) => {
    if (!hasCode(error, 'EEXIST')) throw error;
  });
}
