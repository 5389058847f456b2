/**
 * Keeps the budgets for a period: warns, and holds back attempts while a budget is used up.
 *
 * What is used is counted from stored ends of attempts, so it is the same after a restart. Attempts that run count for a
 * limit of attempts, claims that are not stored yet included: no two claims share the last one. Running attempts are never
 * ended: what they use beyond the limit counts.
 */
import {
  addFigures,
  figuresOfEnd,
  hasUsed,
  type UsageFigures,
} from '../../../../projections/usage-figures.ts';
import { periodAt, type Span } from '../../../base/periods.ts';
import type { BudgetSpec, Limits } from '../../../contracts/budgets/budgets.ts';
import { MEASURES, type Measure } from '../../../contracts/budgets/measures.ts';
import type { DomainEvent, StoredRecord } from '../../../contracts/events/events.ts';
import { type AttemptRef, attemptKey, parseAttemptKey } from '../../../contracts/ids.ts';
import { taskOf } from '../../runtime/views.ts';
import type { SupervisorContext } from '../supervisor-context.ts';
import { isInScope, limitsInForce, measured, unmeasured, useIn } from './budget-use.ts';

interface BudgetKeeperParts extends SupervisorContext {
  /** Called when a budget no longer holds back attempts. */
  readonly onFreed: () => void;
}

interface Ledger {
  readonly span: Span;
  readonly use: UsageFigures;
}

/** An attempt that is claimed and has not ended. */
interface Running {
  readonly project: string;
  readonly agent: string;
}

interface Reached {
  readonly measure: Measure;
  readonly used: number;
  readonly unknown?: number;
  readonly limit: number;
}

export class BudgetKeeper {
  readonly #context: BudgetKeeperParts;
  readonly #ledgers = new Map<string, Ledger>();
  readonly #running = new Map<string, Running>();
  /** Budgets that hold back attempts. */
  readonly #holding = new Set<string>();
  #isEnabled = false;

  constructor(context: BudgetKeeperParts) {
    this.#context = context;
  }

  /** Takes up every budget. Call it once, before the first claim. */
  enable(): void {
    const { host } = this.#context;
    this.#isEnabled = true;
    for (const key of host.ids('attempt')) {
      const { project } = parseAttemptKey(key);
      this.#running.set(key, { project, agent: host.get('attempt', key)?.context.agent ?? '' });
    }
    for (const id of [...host.ids('budget')]) this.#takeUp(id);
  }

  /** The budget that holds back the tasks of a project; null if none does. */
  holderOfProject(project: string): string | null {
    return this.#holder(({ agent, ...spec }) => agent === undefined && (spec.project ?? project) === project);
  }

  /** The budget of an agent that holds it back; null if none does. One for everything holds back projects. */
  holderOfAgent(agent: string): string | null {
    return this.#holder((spec) => spec.agent === agent);
  }

  /** An attempt was claimed; it may not be stored yet. */
  onClaimed(attempt: AttemptRef, agent: string): void {
    this.#running.set(attemptKey(attempt), { project: attempt.project, agent });
    for (const id of this.#context.host.ids('budget')) this.#noteHold(id);
  }

  /** Reacts to a stored record of a budget, or of the end of an attempt. */
  onRecord({ event, time }: Pick<StoredRecord, 'event' | 'time'>): void {
    if (event.type === 'attempt.ended') return this.#onEnded(event, time);
    if (!isBudgetEvent(event)) return;
    this.#ledgers.delete(event.budget);
    this.#takeUp(event.budget);
  }

  #onEnded(event: Extract<DomainEvent, { type: 'attempt.ended' }>, time: number): void {
    this.#running.delete(attemptKey(event));
    if (!this.#isEnabled) return;
    const { host, projections } = this.#context;
    const hasStarted = taskOf(projections, event)?.hasStarted ?? true;
    for (const id of [...host.ids('budget')]) {
      const spec = this.#specOf(id);
      if (!spec || !isInScope(spec, event)) continue;
      const ledger = this.#ledgers.get(id);
      const isInPeriod = ledger !== undefined && time >= ledger.span.from && time < ledger.span.until;
      if (isInPeriod && hasUsed(event, hasStarted)) addFigures(ledger.use, figuresOfEnd(event));
      this.#takeUp(id);
    }
  }

  #takeUp(id: string): void {
    const { host, timers, environment, decide, projections } = this.#context;
    const budget = host.get('budget', id);
    const spec = budget?.context.spec;
    if (!this.#isEnabled || !budget || !spec) return;
    if (budget.state === 'removed') {
      timers.cancel(timerKey(id));
      this.#ledgers.delete(id);
      return this.#noteHold(id);
    }
    const now = environment.clock.now();
    const known = this.#ledgers.get(id);
    const isCurrent = known !== undefined && now >= known.span.from && now < known.span.until;
    const span = isCurrent ? known.span : periodAt(now, spec.period, spec.zone);
    const ledger = isCurrent ? known : { span, use: useIn(projections.usage, spec, span) };
    this.#ledgers.set(id, ledger);
    timers.set(timerKey(id), span.until, () => this.#takeUp(id));
    const { from, raised } = budget.context;
    if (from < span.from && (budget.state !== 'open' || raised !== null)) {
      decide({ type: 'budget.renewed', budget: id, from_ms: span.from });
      return this.#noteHold(id);
    }
    this.#judge(id, spec, raised, ledger);
    this.#noteHold(id);
  }

  #judge(id: string, spec: BudgetSpec, raised: Limits | null, { span, use }: Ledger): void {
    const { host, decide } = this.#context;
    const state = host.get('budget', id)?.state;
    const limits = limitsInForce(spec, raised);
    const address = { budget: id, from_ms: span.from, until_ms: span.until };
    const exhausted = reachedOf(use, limits, 1);
    if (exhausted !== null) {
      if (state !== 'exhausted') decide({ type: 'budget.exhausted', ...address, ...exhausted });
      return;
    }
    const warned = reachedOf(use, limits, spec.warn_at);
    if (warned !== null && state === 'open') decide({ type: 'budget.warned', ...address, ...warned });
  }

  /** Notes whether the budget holds back attempts now. */
  #noteHold(id: string): void {
    if (!this.#isEnabled) return;
    if (this.#holdsBack(id)) this.#holding.add(id);
    else if (this.#holding.delete(id)) this.#context.onFreed();
  }

  /** Whether a budget holds back attempts. */
  isHolding(id: string): boolean {
    return this.#holding.has(id);
  }

  #holdsBack(id: string): boolean {
    const budget = this.#context.host.get('budget', id);
    const spec = budget?.context.spec;
    if (!budget || !spec || budget.state === 'removed') return false;
    if (budget.state === 'exhausted') return true;
    const { attempts } = limitsInForce(spec, budget.context.raised);
    if (attempts === undefined) return false;
    let count = this.#ledgers.get(id)?.use.counted ?? 0;
    for (const running of this.#running.values()) if (isInScope(spec, running)) count++;
    return count >= attempts;
  }

  #holder(isMeant: (spec: BudgetSpec) => boolean): string | null {
    for (const id of this.#holding) {
      const spec = this.#specOf(id);
      if (spec && isMeant(spec)) return id;
    }
    return null;
  }

  #specOf(id: string): BudgetSpec | null {
    return this.#context.host.get('budget', id)?.context.spec ?? null;
  }
}

const timerKey = (id: string): string => `budget:${id}`;

/** The first limit of which this share is used; null if there is none. */
function reachedOf(use: UsageFigures, limits: Limits, share: number): Reached | null {
  for (const measure of MEASURES) {
    const limit = limits[measure];
    const used = measured(use, measure);
    if (limit === undefined || used < limit * share) continue;
    const unknown = unmeasured(use, measure);
    return { measure, used, ...(unknown > 0 && { unknown }), limit };
  }
  return null;
}

type BudgetEvent = Extract<DomainEvent, { readonly budget: string }>;

function isBudgetEvent(event: DomainEvent): event is BudgetEvent {
  return 'budget' in event;
}
