/** The budgets for a period, with what was decided about each. How much is used follows from the usage. */
import type { BudgetSpec, Limits, Measure } from '../src/contracts/budgets.ts';
import type { DomainEvent, EventOf, TypeAbout } from '../src/contracts/events/events.ts';
import { type Draft, draftOf, type Handlers, type PastProjection, personOf, tableOf } from './projection.ts';

/** The limit that was reached when it warned, or was used up. */
export interface ReachedLimit {
  readonly measure: Measure;
  readonly used: number;
  readonly limit: number;
  /** Epoch milliseconds: the end of the period. */
  readonly until: number;
}

export interface BudgetView {
  readonly id: string;
  readonly spec: BudgetSpec;
  /** `open`, `warned`, `exhausted`, `removed`. */
  readonly state: string;
  readonly since: number;
  /** Limits in place of its own until the period ends; null if it was not raised. */
  readonly raised: Limits | null;
  /** Who has raised it, and why. */
  readonly by: string | null;
  readonly reason: string | null;
  /** null unless it is warned or exhausted. */
  readonly reached: ReachedLimit | null;
}

export interface Budgets {
  /** In the order in which they were first set. */
  readonly byId: Map<string, BudgetView>;
}

type BudgetDraft = Draft<BudgetView>;

const HANDLERS: Handlers<TypeAbout<'budget'>, BudgetDraft> = {
  'budget.set': (next, { spec }) => {
    next.spec = spec;
    clear(next);
  },
  'budget.warned': reach,
  'budget.exhausted': reach,
  'budget.raised': (next, { limits, reason = null }, { actor }) => {
    next.raised = limits;
    next.by = personOf(actor);
    next.reason = reason;
    next.reached = null;
  },
  'budget.renewed': clear,
  'budget.removed': clear,
};
const TABLE = tableOf(HANDLERS);

export const budgets: PastProjection<Budgets> = {
  name: 'budgets',
  version: 1,
  initial: () => ({ byId: new Map() }),
  evolve(state, record, entries = 'handed out') {
    const { event } = record;
    const handle = TABLE.get(event.type);
    const transition = record.transitions.find(({ entity }) => entity === 'budget');
    if (handle === undefined || !transition) return;
    const known = state.byId.get(transition.id);
    const next = known ? draftOf(known, entries) : firstOf(event, transition.id);
    if (next === null) return;
    if (transition.from !== transition.to) next.since = record.time;
    next.state = transition.to;
    handle(next, event, record);
    state.byId.set(transition.id, next);
  },
  toJSON: (state) => [...state.byId.values()],
  forget: () => {},
  restore: (json) => ({ byId: new Map((json as BudgetView[]).map((each) => [each.id, each])) }),
  *pieces({ byId }) {
    for (const [id, budget] of byId) yield ['budget', id, budget];
  },
  copy: ({ byId }) => ({ byId: new Map(byId) }),
};

function firstOf(event: DomainEvent, id: string): BudgetDraft | null {
  if (event.type !== 'budget.set') return null;
  const { spec } = event;
  return { id, spec, state: 'open', since: 0, raised: null, by: null, reason: null, reached: null };
}

function reach(
  next: BudgetDraft,
  { measure, used, limit, until_ms: until }: EventOf<'budget.warned'> | EventOf<'budget.exhausted'>,
): void {
  next.reached = { measure, used, limit, until };
}

function clear(next: BudgetDraft): void {
  next.raised = null;
  next.by = null;
  next.reason = null;
  next.reached = null;
}
