/** The data directory: the files that Signalbox keeps beside the log. */
import { randomBytes } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { readIfExists, readText } from '../base/files.ts';
import { sha256 } from '../base/hash.ts';
import { hasCode, messageOf, SignalboxError } from '../contracts/errors.ts';
import { codeFingerprint, SnapshotDirectory } from '../engine/runtime/snapshot-store.ts';

export interface DataDirectory {
  readonly path: string;
  /** Never leaves this directory: attempt tokens are derived from it. */
  readonly secret: string;
  /** Identifies the processes of this directory; does not reveal the secret. */
  readonly installation: string;
}

const SECRET_BYTES = 32;
const INSTALLATION_LENGTH = 16;

/** Opens the directory; creates it and its secret on first use. @throws SignalboxError `config_invalid` */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const secret = await secretOf(join(path, 'secret'));
    return { path, secret, installation: installationNamed(secret) };
  } catch (cause) {
    throw new SignalboxError(
      'config_invalid',
      `the data directory ${path} cannot be used: ${messageOf(cause)}. Name another one with --data-dir`,
      { cause },
    );
  }
}

/** The id of the installation; null if there is no data directory yet. @throws Error if it cannot be read */
export async function installationOf(path: string): Promise<string | null> {
  const secret = await readIfExists(join(path, 'secret'));
  return secret === null ? null : installationNamed(secret.trim());
}

function installationNamed(secret: string): string {
  return sha256(`installation ${secret}`).slice(0, INSTALLATION_LENGTH);
}

async function secretOf(file: string): Promise<string> {
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(randomBytes(SECRET_BYTES).toString('hex'));
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  const secret = (await readText(file)).trim();
  if (secret.length === 2 * SECRET_BYTES) return secret;
  throw new Error(`${file} is damaged: restore it, or delete it (running agents will be rejected then)`);
}

export function snapshotsIn(dataDirectory: string, logger: Logger): SnapshotDirectory {
  return new SnapshotDirectory(join(dataDirectory, 'snapshots'), codeFingerprint(), logger);
}
