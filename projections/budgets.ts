/** The budgets for a period, with what was decided about each. How much is used follows from the usage. */
import type { BudgetSpec, Limits } from '../src/contracts/budgets/budgets.ts';
import type { Measure } from '../src/contracts/budgets/measures.ts';
import type { DomainEvent, EventOf, TypeAbout } from '../src/contracts/events/events.ts';
import { entityProjection } from './entities.ts';
import { type Draft, type Handlers, type PastProjection, personOf } from './projection.ts';

/** The limit that was reached when it warned, or was used up. */
export interface ReachedLimit {
  readonly measure: Measure;
  readonly used: number;
  readonly limit: number;
  /** Attempts of which it is not known what they have used: then it is at least so much. */
  readonly unknown: number;
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
export const budgets: PastProjection<Budgets> = entityProjection({
  name: 'budgets',
  version: 2,
  entity: 'budget',
  handlers: HANDLERS,
  first: firstOf,
});

function firstOf(event: DomainEvent, id: string): BudgetDraft | null {
  if (event.type !== 'budget.set') return null;
  const { spec } = event;
  return { id, spec, state: 'open', since: 0, raised: null, by: null, reason: null, reached: null };
}

function reach(next: BudgetDraft, event: EventOf<'budget.warned'> | EventOf<'budget.exhausted'>): void {
  const { measure, used, unknown = 0, limit, until_ms: until } = event;
  next.reached = { measure, used, unknown, limit, until };
}

function clear(next: BudgetDraft): void {
  next.raised = null;
  next.by = null;
  next.reason = null;
  next.reached = null;
}
