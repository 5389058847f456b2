/**
 * The projections cut into entries with a hash each, so that two states can be compared piece by piece, also over a
 * network and while one of them goes on.
 *
 * EN1 Equal states give equal entries; every difference shows in some entry.
 * EN2 Tasks stand in the order of their creation, and a page begins after a place in it: what leaves memory or is
 *    created meanwhile moves no other entry from one page to the next.
 */
import { type Projections, throughput } from '../../../projections/index.ts';
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

/** The entries of some tasks; with those of the last come the entries that are of no task. */
export function entriesOf(projections: Projections, { after, until = null, limit }: PageOfTasks): EntryPage {
  const { blackboard, attempts } = projections;
  const entries: Entry[] = [];
  let count = 0;
  let last = after;
  for (const [key, task] of blackboard.tasks) {
    if (task.createdSequence <= after) continue;
    if (count === limit || (until !== null && task.createdSequence > until)) return { entries, next: last };
    entries.push(entryOf('task', key, task));
    const history = attempts.byTask.get(key);
    if (history) entries.push(entryOf('attempts', key, history));
    last = task.createdSequence;
    count++;
  }
  if (until !== null) return { entries, next: last };
  for (const [key, history] of attempts.byTask) {
    if (!blackboard.tasks.has(key)) entries.push(entryOf('attempts', key, history));
  }
  for (const [id, agent] of projections.agents.byId) entries.push(entryOf('agent', id, agent));
  for (const [id, queue] of projections.queues.paused) entries.push(entryOf('queue', id, queue));
  entries.push(entryOf('counts', '', blackboard.counts));
  entries.push(entryOf('throughput', '', throughput.toJSON(projections.throughput)));
  return { entries, next: null };
}

function entryOf(part: string, key: string, value: unknown): Entry {
  return { part, key, sha256: sha256(canonicalJson(value)) };
}
