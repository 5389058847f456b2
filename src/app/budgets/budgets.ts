/** Budgets for a period: listing and raising them, and taking them over from the configuration. */
import type { Budgets, BudgetView } from '../../../projections/index.ts';
import { canonicalJson } from '../../base/canonical-json.ts';
import { periodAt } from '../../base/periods.ts';
import type { AgentAnswer } from '../../contracts/api/answers.ts';
import type {
  BudgetAnswer,
  BudgetConfig,
  BudgetNotice,
  RaiseBudget,
} from '../../contracts/api/usage/budgets.ts';
import { measureText, reachedText, scopeText } from '../../contracts/budgets/budget-text.ts';
import type { BudgetSpec, Limits } from '../../contracts/budgets/budgets.ts';
import { MEASURES, type Measure } from '../../contracts/budgets/measures.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { DomainEvent } from '../../contracts/events/events.ts';
import { limitsInForce, useIn } from '../../engine/supervisor/usage/budget-use.ts';
import { type AppContext, deciderOf } from '../context.ts';
import { timeOf } from '../tasks/task-json.ts';
import { figuresJson } from '../tasks/usage-json.ts';

export function listBudgets(app: AppContext): BudgetAnswer[] {
  return present(app).map((budget) => budgetJson(app, budget));
}

/**
 * Raises limits until the period ends: attempts start again at once.
 * @throws SignalboxError `budget_not_found`, `invalid_request` for a limit that is not higher, and as a commit does
 */
export async function raiseBudget(
  app: AppContext,
  id: string,
  { by, comment, ...given }: RaiseBudget,
  caller: string,
): Promise<BudgetAnswer> {
  const budget = viewOf(app, id);
  const actor = deciderOf({ by }, caller);
  const before = limitsInForce(budget.spec, budget.raised);
  for (const measure of MEASURES) assertHigher(id, measure, before, given[measure]);
  const { from, until } = spanOf(app, budget.spec);
  const limits = withoutAbsent({ ...budget.raised, ...withoutAbsent(given) });
  app.log.assertWritable();
  await app.log.commit(
    { type: 'budget.raised', budget: id, from_ms: from, until_ms: until, limits, reason: comment },
    { actor },
  );
  return budgetJson(app, viewOf(app, id));
}

/** Brings the budgets of the configuration into the log: new and changed ones, and those that are gone. */
export async function registerBudgets(
  app: AppContext,
  configured: Readonly<Record<string, BudgetConfig>>,
): Promise<void> {
  const { byId } = app.state.projections.budgets;
  const commit = (event: DomainEvent) => app.log.commit(event, { actor: 'supervisor' });
  for (const [id, config] of Object.entries(configured)) {
    const spec = specOf(config);
    const known = byId.get(id);
    if (known && known.state !== 'removed' && canonicalJson(known.spec) === canonicalJson(spec)) continue;
    await commit({ type: 'budget.set', budget: id, spec });
  }
  for (const { id, state } of [...byId.values()]) {
    if (state === 'removed' || Object.hasOwn(configured, id)) continue;
    await commit({ type: 'budget.removed', budget: id, reason: 'removed from the configuration' });
  }
}

/** The budget that holds back an agent now; null if none does. */
export function holderOf(app: AppContext, agent: string): AgentAnswer['budget'] {
  const { budgets } = app.supervision.supervisor;
  const holding = present(app).filter(({ id, spec }) => isForAgent(spec, agent) && budgets.isHolding(id));
  const [first] = holding;
  return first ? holdJson(first) : null;
}

/** The same at a moment of the past, as far as it is recorded. */
export function pastHolderOf({ byId }: Budgets, agent: string): AgentAnswer['budget'] {
  const holding = [...byId.values()].find(
    ({ spec, state }) => state === 'exhausted' && isForAgent(spec, agent),
  );
  return holding ? holdJson(holding) : null;
}

/** Whether it limits everything that the agent does. */
function isForAgent({ agent, project }: BudgetSpec, id: string): boolean {
  return agent === id || (agent === undefined && project === undefined);
}

function holdJson(budget: BudgetView): NonNullable<AgentAnswer['budget']> {
  return { id: budget.id, detail: holdText(budget), until: timeOf(budget.reached?.until ?? null) };
}

/** Why a budget holds back attempts. */
export function holdText({ id, spec, raised, reached }: BudgetView): string {
  const { attempts } = limitsInForce(spec, raised);
  const what = `budget ${id} of ${scopeText(spec)} for this ${spec.period} is used up`;
  if (reached !== null) return `${what}: ${reachedText(reached)} are used`;
  // What was reached follows with the next event, unless attempts that run hold it.
  return attempts === undefined ? what : `${what}: the attempts that run are the last of its ${attempts}`;
}

/** The budgets that have warned or are used up. */
export function budgetNotices({ byId }: { readonly byId: ReadonlyMap<string, BudgetView> }): BudgetNotice[] {
  return [...byId.values()].flatMap(({ id, spec, state, since, reached }): BudgetNotice[] => {
    if (reached === null) return [];
    const share = `${reachedText(reached)} are used this ${spec.period}`;
    const effect = state === 'exhausted' ? `: ${scopeText(spec)} can start no attempts` : '';
    const detail = `${share}${effect}`;
    return [{ id, status: state, detail, since: timeOf(since), until: timeOf(reached.until) }];
  });
}

function assertHigher(id: string, measure: Measure, limits: Limits, after: number | undefined): void {
  const before = limits[measure];
  if (after === undefined || (before !== undefined && after > before)) return;
  const own = MEASURES.flatMap((each) => {
    const limit = limits[each];
    return limit === undefined ? [] : measureText(each, limit);
  });
  const why =
    before === undefined
      ? `it has no such limit, only ${own.join(' and ')}`
      : `the limit is ${measureText(measure, before)} already: give a higher one`;
  throw new SignalboxError(
    'invalid_request',
    `${measure}: budget ${id} cannot be raised to ${measureText(measure, after)}: ${why}`,
  );
}

function present({ state }: AppContext): BudgetView[] {
  return [...state.projections.budgets.byId.values()].filter((budget) => budget.state !== 'removed');
}

/** @throws SignalboxError `budget_not_found` */
function viewOf(app: AppContext, id: string): BudgetView {
  const all = present(app);
  const budget = all.find((each) => each.id === id);
  if (budget) return budget;
  const known = all.map((each) => each.id).join(', ') || 'none';
  throw new SignalboxError('budget_not_found', `there is no budget ${id}; there are: ${known}`, {
    details: { budget: id },
  });
}

function specOf({ tokens, cost_usd, attempts, ...rest }: BudgetConfig): BudgetSpec {
  return { ...rest, limits: withoutAbsent({ tokens, cost_usd, attempts }) };
}

function withoutAbsent(limits: Limits): Limits {
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
}

function spanOf(app: AppContext, { period, zone }: BudgetSpec) {
  return periodAt(app.environment.clock.now(), period, zone);
}

function budgetJson(app: AppContext, budget: BudgetView): BudgetAnswer {
  const { id, spec, state, since, raised, by, reason } = budget;
  const span = spanOf(app, spec);
  const use = useIn(app.state.projections.usage, spec, span);
  return {
    id,
    agent: spec.agent ?? null,
    project: spec.project ?? null,
    period: spec.period,
    zone: spec.zone,
    status: state,
    since: timeOf(since),
    from: timeOf(span.from),
    until: timeOf(span.until),
    limits: limitsInForce(spec, raised),
    warn_at: spec.warn_at,
    raised_by: raised === null ? null : by,
    reason,
    used: figuresJson(use),
    used_attempts: use.counted,
    holds: app.supervision.supervisor.budgets.isHolding(id),
  };
}
