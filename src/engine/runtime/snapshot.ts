/**
 * A snapshot: everything in memory as it was after one event, so that a restart reads only the events after it.
 *
 * It shows one moment: decisions that were not stored then are not in it. As states and views are replaced and never
 * changed, it can be written out while everything else goes on.
 */
import { type Projections, restoreProjections } from '../../../projections/index.ts';
import { ENTITY_KINDS, type EntityKind } from '../../contracts/events/events.ts';
import { ActorHost, type ActorStates, type EntityState } from './actor-host.ts';
import type { Rebuilt } from './rebuild.ts';

export interface Snapshot {
  /** The event after which it was taken. */
  readonly at: Rebuilt;
  readonly actors: ActorStates;
  /** The result of `Projections.toJSON`. */
  readonly projections: Readonly<Record<string, unknown>>;
  /** Tasks that had left memory by then. */
  readonly forgotten: number;
}

/** Restores the state. Trusts the snapshot. */
export function restore({ actors, projections, at }: Snapshot): {
  host: ActorHost;
  projections: Projections;
} {
  const host = new ActorHost();
  for (const kind of ENTITY_KINDS) {
    for (const [id, entity] of actors[kind]) host.restore(kind, id, entity);
  }
  return { host, projections: restoreProjections(projections, at.tip.sequence) };
}

type Line =
  | readonly ['at', Rebuilt, number]
  | readonly ['actor', EntityKind, string, EntityState]
  | readonly ['part', string, unknown]
  | readonly ['item', string, unknown];

/** The snapshot as many small JSON texts. */
export function* linesOf(snapshot: Snapshot): Iterable<string> {
  const line = (content: Line): string => JSON.stringify(content);
  yield line(['at', snapshot.at, snapshot.forgotten]);
  for (const kind of ENTITY_KINDS) {
    for (const [id, entity] of snapshot.actors[kind]) yield line(['actor', kind, id, entity]);
  }
  for (const [name, part] of flat(snapshot.projections)) {
    if (!Array.isArray(part)) yield line(['part', name, part]);
    else {
      yield line(['part', name, []]);
      for (const item of part) yield line(['item', name, item]);
    }
  }
}

/** The reverse of `linesOf`. @throws Error for other lines */
export function snapshotOf(lines: Iterable<string>): Snapshot {
  let at: Rebuilt | undefined;
  let forgotten = 0;
  const actors: ActorStates = {
    task: new Map(),
    attempt: new Map(),
    workspace: new Map(),
    agent: new Map(),
    queue: new Map(),
    schedule: new Map(),
    budget: new Map(),
    supervisor: new Map(),
  };
  const parts = new Map<string, unknown>();
  for (const text of lines) {
    const line = JSON.parse(text) as Line;
    switch (line[0]) {
      case 'at':
        [, at, forgotten] = line;
        break;
      case 'actor':
        (actors[line[1]] as Map<string, EntityState>).set(line[2], line[3]);
        break;
      case 'part':
        parts.set(line[1], line[2]);
        break;
      case 'item':
        (parts.get(line[1]) as unknown[]).push(line[2]);
        break;
    }
  }
  if (!at) throw new Error('it does not name its event');
  return { at, actors, projections: unflat(parts), forgotten };
}

/** Two levels deep, so that long arrays stay arrays: `blackboard.tasks`, `blackboard.counts`, `attempts` … */
function* flat(projections: Readonly<Record<string, unknown>>): Iterable<[string, unknown]> {
  for (const [name, part] of Object.entries(projections)) {
    if (Array.isArray(part)) yield [name, part];
    else for (const [key, inner] of Object.entries(part as object)) yield [`${name}.${key}`, inner];
  }
}

function unflat(parts: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const projections: Record<string, unknown> = {};
  for (const [path, part] of parts) {
    const [name = '', key] = path.split('.');
    if (key === undefined) projections[name] = part;
    else projections[name] = { ...(projections[name] as object | undefined), [key]: part };
  }
  return projections;
}
