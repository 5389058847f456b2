/**
 * Whether a token was ever needed here: kept in the data directory, so that the loss of the tokens opens nothing.
 *
 * Invariant access/open-on-loopback-only: once there were tokens, access without one stays closed, also if the tokens are
 * revoked, deleted or emptied, until an operator opens it by name ("signalbox token open-access").
 */
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { replaceDurably } from '../../base/files.ts';
import { readSmallSync } from '../../base/regular-files.ts';

const MAX_BYTES = 4_096;

/** The files that say who may use Signalbox. */
export interface AccessFiles {
  /** The hashes of tokens. */
  readonly tokens: string;
  /** Whether access without a token is closed or was opened; in the data directory. */
  readonly state: string;
}

const stateSchema = z.strictObject({ access: z.enum(['closed', 'open']), since: z.string() });
export type RecordedAccess = z.output<typeof stateSchema>['access'];

/** The state that was recorded; null if there never was a token. A file that cannot be read as one says that it is closed. */
export function readAccess({ state: file }: AccessFiles): RecordedAccess | null {
  try {
    const text = readSmallSync(file, MAX_BYTES)?.text;
    return text === undefined ? null : stateSchema.parse(JSON.parse(text)).access;
  } catch {
    return 'closed';
  }
}

/** Records the state durably. @throws what the file system throws */
export async function recordAccess(
  { state: file }: AccessFiles,
  access: RecordedAccess,
  now: number,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const text = JSON.stringify({ access, since: new Date(now).toISOString() });
  // The command line and a running Signalbox may record it at the same time.
  await replaceDurably(file, `${text}\n`, randomUUID());
}
