import { join } from 'node:path';
import type { Logger } from 'pino';
import { codeFingerprint } from '../engine/runtime/code-fingerprint.ts';
import { SnapshotDirectory } from '../engine/runtime/snapshot-store.ts';

/** The snapshots of a data directory. */
export function snapshotsIn(dataDirectory: string, logger: Logger): SnapshotDirectory {
  return new SnapshotDirectory(join(dataDirectory, 'snapshots'), codeFingerprint(), logger);
}
