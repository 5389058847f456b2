/** The budgets for a period: what is used of each limit, and until when. */

import { measureText, scopeText } from '../../../src/contracts/budgets/budget-text.ts';
import { MEASURES } from '../../../src/contracts/budgets/measures.ts';
import { costText, tokensText } from '../../../src/contracts/usage-text.ts';
import type { AnswerOf, BudgetAnswer } from '../../api/types.ts';
import { useResource } from '../../state/resource.ts';
import { Ago, Section, StateBadge, toneOf } from '../base/basics.tsx';
import { Line } from '../base/safe-text.tsx';
import { RaiseBudget } from './raise-budget.tsx';

export function BudgetList() {
  const { value, reload } = useResource<AnswerOf<'listBudgets'>>('/api/budgets', { everyMs: 10_000 });
  const budgets = value?.budgets ?? [];
  if (budgets.length === 0) return null;
  return (
    <Section title="Budgets" count={budgets.length}>
      <ul class="rows" data-group>
        {budgets.map((budget) => (
          <Row key={budget.id} budget={budget} onDone={reload} />
        ))}
      </ul>
    </Section>
  );
}

function Row({ budget, onDone }: { readonly budget: BudgetAnswer; readonly onDone: () => void }) {
  const { id, agent, project, period, zone, status, until, holds, raised_by, reason } = budget;
  return (
    <li class="row" data-item tabIndex={-1}>
      <div class="row-main">
        <strong>{id}</strong>
        <span class="row-facts">
          <StateBadge state={status} />
          <span class="dim">
            {scopeText({ agent: agent ?? undefined, project: project ?? undefined })}, per {period} in {zone},
            ends <Ago time={until} />
          </span>
        </span>
        {holds && <span class="warn-text">Starts no attempts until then.</span>}
        {raised_by !== null && (
          <span class="dim">
            raised by <Line text={raised_by} /> until it ends
            {reason !== null && (
              <>
                : <Line text={reason} />
              </>
            )}
          </span>
        )}
        <Meters budget={budget} />
      </div>
      <RaiseBudget id={id} onDone={onDone} />
    </li>
  );
}

function Meters({ budget: { limits, used, used_attempts, status } }: { readonly budget: BudgetAnswer }) {
  const uses = {
    tokens: { count: used.tokens, text: tokensText(used) },
    cost_usd: { count: used.cost_usd, text: costText(used) },
    attempts: { count: used_attempts, text: String(used_attempts) },
  };
  return (
    <ul class="meters">
      {MEASURES.map((measure) => {
        const limit = limits[measure];
        if (limit === undefined) return null;
        const { count, text } = uses[measure];
        const share = (count ?? 0) / limit;
        return (
          <li key={measure}>
            <meter class="meter" data-tone={toneOf(status)} value={Math.min(1, share)} aria-hidden="true" />
            <span>
              {text} of {measureText(measure, limit)}
              {count !== null && ` (${Math.floor(share * 100)} %)`}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
