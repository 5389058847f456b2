/**
 * The projections cut into entries with a hash each, so that two states can be compared piece by piece, also over a
 * network and while one of them goes on.
 *
 * EN1 Equal states give the same entries in the same order; every difference shows in some entry.
 */
import type { Projections } from '../../projections/index.ts';
import { canonicalJson } from '../contracts/canonical.ts';
import { sha256 } from '../journal/hash.ts';

export interface Entry {
  /** As in `blackboard.tasks`, `attempts`. */
  readonly part: string;
  /** What it is about: `demo/T-1` for a task, its attempts or its children; the id of an agent. */
  readonly key: string;
  readonly sha256: string;
}

export interface EntryPage {
  readonly entries: readonly Entry[];
  /** How many there are in all. */
  readonly total: number;
}

/** Some of the entries, in their order. */
export function entriesOf(projections: Projections, offset = 0, limit = Number.POSITIVE_INFINITY): EntryPage {
  const entries: Entry[] = [];
  let total = 0;
  for (const [part, items] of partsOf(projections)) {
    const first = Math.max(0, offset - total);
    const chosen = items.slice(first, first + Math.max(0, limit - entries.length));
    for (const item of chosen) entries.push({ part, key: keyOf(item), sha256: sha256(canonicalJson(item)) });
    total += items.length;
  }
  return { entries, total };
}

/** Each table of each projection. What is no table is a part with a single entry. */
export function* partsOf(projections: Projections): Iterable<readonly [string, readonly unknown[]]> {
  for (const [name, json] of Object.entries(projections.toJSON())) {
    if (Array.isArray(json)) yield [name, json];
    else if (isObject(json)) {
      for (const [table, items] of Object.entries(json)) {
        yield [`${name}.${table}`, Array.isArray(items) ? items : [items]];
      }
    } else yield [name, [json]];
  }
}

function keyOf(item: unknown): string {
  if (Array.isArray(item)) return String(item[0]);
  if (!isObject(item)) return '';
  const { project, id } = item;
  return project === undefined ? String(id ?? '') : `${project}/${id}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
