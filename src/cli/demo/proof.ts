/**
 * The proof that the log restores everything: Signalbox stops, everything but the log is deleted, and a new start must
 * give the same state.
 *
 * Invariant projections/same-from-log: the canonical text of all projections is compared byte for byte. It contains
 * tasks, outputs, comments and attempts; stop and start only add events that change none of them.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../base/hash.ts';
import type { Daemon } from '../../daemon/daemon.ts';
import { layoutOf } from '../../daemon/embedded/layout.ts';

export interface State {
  readonly text: string;
  readonly sha256: string;
  /** Events in the log when it was taken. */
  readonly events: number;
  readonly tasks: number;
  readonly attempts: number;
}

export function stateOf({ engine: { projections } }: Daemon): State {
  const text = projections.toText();
  const histories = [...projections.attempts.byTask.values()];
  return {
    text,
    sha256: sha256(text),
    events: projections.sequence,
    tasks: projections.blackboard.tasks.size,
    attempts: histories.reduce((sum, attempts) => sum + attempts.length, 0),
  };
}

/** Deletes everything in the data directory but the log and its password. @returns what was deleted */
export async function deleteAllButLog(dataDir: string): Promise<string[]> {
  const { directory, storeDir, credentialsFile } = layoutOf(dataDir);
  const kept = new Set([directory, storeDir, credentialsFile]);
  const deleted: string[] = [];
  for (const parent of [dataDir, directory]) {
    for (const name of await readdir(parent)) {
      const path = join(parent, name);
      if (kept.has(path)) continue;
      await rm(path, { recursive: true });
      deleted.push(path.slice(dataDir.length + 1));
    }
  }
  return deleted;
}
