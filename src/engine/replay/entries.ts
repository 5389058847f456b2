/**
 * The projections cut into entries with a hash each, so that two states can be compared piece by piece, also over a
 * network and while one of them goes on.
 *
 * Equal states give equal entries, and every difference shows in some entry. Tasks come in the order of their creation,
 * and a page begins after a place in it: a task that leaves memory or is created meanwhile moves no other entry from one
 * page to the next.
 */
import type { Piece, Projections } from '../../../projections/index.ts';
import { canonicalJson } from '../../base/canonical-json.ts';
import { sha256 } from '../../base/hash.ts';

export interface Entry {
  /** `task`, `attempts` (those of a task), `agent`, `queue` (a paused one), `counts`, `throughput`. */
  readonly part: string;
  /** `project/task`, the id of an agent, or a queue; empty where there is but one entry. */
  readonly key: string;
  readonly sha256: string;
}

export interface EntryPage {
  readonly entries: readonly Entry[];
  /** Where the next page begins; null at the end. */
  readonly next: number | null;
}

export interface PageOfTasks {
  /** Sequence of an event: only tasks that were created later; 0 for all. */
  readonly after: number;
  /** Only tasks that were created by this event at the latest; without it the page may be the last one. */
  readonly until?: number | null | undefined;
  /** Tasks at most. */
  readonly limit?: number | undefined;
}

/** The entries of some tasks. Those of no task come with the last page. */
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
