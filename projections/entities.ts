/** Projections of entities that are never forgotten, such as agents: a view of each, which changes with the events that move it. */
import type { DomainEvent, EntityKind, EventType } from '../src/contracts/events/events.ts';
import { type Handlers, type PastProjection, tableOf } from './projection.ts';

interface EntityDraft {
  readonly id: string;
  state: string;
  /** Epoch milliseconds at which it came into this state. */
  since: number;
}

/** In the order in which they were first seen. */
interface Entities<Entry> {
  readonly byId: Map<string, Entry>;
}

interface Definition<Entry extends EntityDraft, Types extends EventType> {
  readonly name: string;
  readonly version: number;
  readonly entity: EntityKind;
  /** What each event changes beside the state. */
  readonly handlers: Handlers<Types, Entry>;
  /** The view of an entity before its first event; null if the event cannot be the first. */
  readonly first: (event: DomainEvent, id: string, time: number) => Entry | null;
  /** For events without a handler. */
  readonly onOther?: (state: Entities<Entry>, event: DomainEvent) => void;
}

export function entityProjection<Entry extends EntityDraft, Types extends EventType>({
  name,
  version,
  entity,
  handlers,
  first,
  onOther,
}: Definition<Entry, Types>): PastProjection<Entities<Entry>> {
  const table = tableOf(handlers);
  return {
    name,
    version,
    initial: () => ({ byId: new Map() }),
    evolve(state, record, entries = 'handed out') {
      const { event, transitions, time } = record;
      const handle = table.get(event.type);
      if (handle === undefined) return onOther?.(state, event);
      const transition = transitions.find((each) => each.entity === entity);
      if (!transition) return;
      const { id, from, to } = transition;
      const known = state.byId.get(id);
      const changed = known && entries === 'handed out' ? { ...known } : known;
      const next = changed ?? first(event, id, time);
      if (next === null) return;
      if (from !== to) next.since = time;
      next.state = to;
      handle(next, event, record);
      if (next !== known) state.byId.set(id, next);
    },
    toJSON: ({ byId }) => [...byId.values()],
    forget: () => {},
    restore: (json) => ({ byId: new Map((json as Entry[]).map((each) => [each.id, each])) }),
    *pieces({ byId }) {
      for (const [id, each] of byId) yield [entity, id, each];
    },
    copy: ({ byId }) => ({ byId: new Map(byId) }),
  };
}
