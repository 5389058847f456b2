/**
 * The projections as entries with hashes, to compare two states piece by piece, also over a network while one of them
 * changes. Equal states have equal entries; every difference shows in an entry. Tasks are in the order of creation, and a
 * page starts after a sequence: a task that is created or leaves memory meanwhile moves no other entry to another page.
 */
import type { Piece, Projections } from '../../../projections/index.ts';
import { canonicalJson } from '../../base/canonical-json.ts';
import { sha256 } from '../../base/hash.ts';

export interface Entry {
  /** `task`, `attempts` (those of a task), `agent`, `queue` (a paused one), `counts`, `throughput`, `usage`. */
  readonly part: string;
  /** The key of a task, the id of an agent, or a queue; empty for a part with only one entry. */
  readonly key: string;
  readonly sha256: string;
}

export interface EntryPage {
  readonly entries: readonly Entry[];
  readonly next: number | null;
}

export interface PageOfTasks {
  /** Only tasks that were created after this sequence. */
  readonly after: number;
  /** Only tasks that were created up to this sequence; without it the page may be the last one. */
  readonly until?: number | null | undefined;
  readonly limit?: number | undefined;
}

/** The entries of some tasks. Entries of no task are on the last page. */
export function entriesOf(projections: Projections, { after, until = null, limit }: PageOfTasks): EntryPage {
  const entries: Entry[] = [];
  const add = (pieces: readonly Piece[]): void => {
    for (const [part, key, value] of pieces)
      entries.push({ part, key, sha256: sha256(canonicalJson(value)) });
  };
  let count = 0;
  let last = after;
  for (const [key, task] of projections.blackboard.tasks) {
    if (task.createdSequence <= after) continue;
    if (count === limit || (until !== null && task.createdSequence > until)) return { entries, next: last };
    add(projections.piecesOf(key));
    last = task.createdSequence;
    count++;
  }
  if (until !== null) return { entries, next: last };
  add(projections.otherPieces());
  return { entries, next: null };
}
