/**
 * Limits on what a task and all tasks below it may use, checked before each attempt. The use is read from the attempt
 * history and so survives restarts. Claims that are not stored yet count too: no two claims share the last attempt.
 */

import type { AttemptView, Projections, TaskView } from '../../../../projections/index.ts';
import type { Budget } from '../../../contracts/config-values.ts';
import { usesUpAttempt } from '../../../contracts/tasks.ts';
import { countedTokens } from '../../../contracts/usage.ts';
import type { ActorHost } from '../../runtime/actor-host.ts';
import { taskOf, viewKey } from '../../runtime/views.ts';

type Use = Readonly<Required<Budget>>;

const NONE: Use = { attempts: 0, tokens: 0, cost_usd: 0, wall_seconds: 0 };

/** Why the next attempt of this task may not start; null if it may. */
export function exhaustedBudget(
  projections: Projections,
  host: ActorHost,
  task: TaskView,
  now: number,
): string | null {
  for (let holder: TaskView | undefined = task; holder; holder = parentOf(projections, holder)) {
    const { budget } = holder.spec;
    if (!budget) continue;
    const spent = firstExhausted(budget, useOf(projections, host, viewKey(holder), now));
    if (spent !== null) return `the budget of task ${holder.id} is used up: ${spent}`;
  }
  return null;
}

function firstExhausted(budget: Budget, use: Use): string | null {
  for (const key of ['attempts', 'tokens', 'cost_usd', 'wall_seconds'] as const) {
    const cap = budget[key];
    if (cap !== undefined && use[key] >= cap) return `${key} ${Math.round(use[key] * 100) / 100} of ${cap}`;
  }
  return null;
}

/** The use of the task and all its descendants. */
function useOf(projections: Projections, host: ActorHost, key: string, now: number): Use {
  const recorded = projections.attempts.byTask.get(key) ?? [];
  const attempts = host.get('task', key)?.context.attemptsUsed ?? usedUp(recorded);
  const own = recorded.map((attempt) => useOfAttempt(attempt, now));
  const below = (projections.blackboard.children.get(key) ?? []).map((child) =>
    useOf(projections, host, child, now),
  );
  return [...own, ...below].reduce(add, { ...NONE, attempts });
}

function usedUp(attempts: readonly AttemptView[]): number {
  return attempts.filter(({ outcome }) => outcome === null || usesUpAttempt(outcome)).length;
}

function useOfAttempt({ startedAt, endedAt, waitedMs, usage }: AttemptView, now: number): Use {
  return {
    attempts: 0,
    tokens: countedTokens(usage?.input_tokens) + countedTokens(usage?.output_tokens),
    cost_usd: usage?.cost_usd ?? 0,
    wall_seconds: startedAt === null ? 0 : ((endedAt ?? now) - startedAt - waitedMs) / 1_000,
  };
}

function add(a: Use, b: Use): Use {
  return {
    attempts: a.attempts + b.attempts,
    tokens: a.tokens + b.tokens,
    cost_usd: a.cost_usd + b.cost_usd,
    wall_seconds: a.wall_seconds + b.wall_seconds,
  };
}

function parentOf(projections: Projections, { project, spec }: TaskView): TaskView | undefined {
  return spec.parent === undefined ? undefined : taskOf(projections, { project, task: spec.parent });
}
