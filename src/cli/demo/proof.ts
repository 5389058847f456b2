/**
 * The proof that the log is all: a state is taken, Signalbox stops, everything but the log is deleted, and a new start
 * has to come to the same state.
 *
 * D1 What is compared is the canonical text of all projections, byte by byte. It holds tasks, outputs, comments and
 *    attempts; the stop and the start add events of the supervisor and its agents, which are in none of them.
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

/** Deletes all that is in the data directory but the log and the password to it. @returns what was deleted */
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
