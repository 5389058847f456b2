/** Cost and tokens as text, for the command line and the dashboard. */
import type { AttemptAnswer } from './api/answers.ts';
import type { UsageFiguresAnswer } from './api/usage/figures.ts';
import { costSourceOf } from './cost-source.ts';

type Cost = Pick<UsageFiguresAnswer, 'cost_usd' | 'attempts_without_cost'>;
type Tokens = Pick<UsageFiguresAnswer, 'tokens' | 'attempts_without_tokens'>;

type UsedAttempt = Pick<AttemptAnswer, 'outcome' | 'started_at' | 'usage'>;

/** As in `$1.23`, `at least $1.23`, `unknown`. */
export function costText({ cost_usd, attempts_without_cost }: Cost): string {
  if (cost_usd === null) return 'unknown';
  return `${attempts_without_cost > 0 ? 'at least ' : ''}${dollarText(cost_usd)}`;
}

/** As in `12,345`, `at least 12,345`, `unknown`. */
export function tokensText({ tokens, attempts_without_tokens }: Tokens): string {
  if (tokens === null) return 'unknown';
  return `${attempts_without_tokens > 0 ? 'at least ' : ''}${tokens.toLocaleString('en')}`;
}

/**
 * The cost of one attempt, with its source: `$1.23`, `$1.23 (estimated)`, `unknown`; null for one that runs, and for one that
 * never started: it has used nothing.
 */
export function attemptCostText({ outcome, started_at, usage }: UsedAttempt): string | null {
  if (outcome === null || (started_at === null && usage === null)) return null;
  const source = costSourceOf(usage);
  if (source === 'unknown' || usage?.cost_usd === undefined) return 'unknown';
  return `${dollarText(usage.cost_usd)}${source === 'estimated' ? ' (estimated)' : ''}`;
}

/** What a sum leaves out, and what of it is estimated, in sentences. */
export function usageNotes(total: UsageFiguresAnswer): string[] {
  const { attempts, attempts_without_tokens, attempts_without_cost, estimated_cost_usd: estimated } = total;
  const of = (count: number): string => {
    if (attempts === 1) return 'the attempt';
    return count === attempts ? `all ${attempts} attempts` : `${count} of ${attempts} attempts`;
  };
  return [
    ...(attempts_without_tokens === 0
      ? []
      : [`The tokens of ${of(attempts_without_tokens)} are not known: no report.`]),
    ...(attempts_without_cost === 0
      ? []
      : [`The cost of ${of(attempts_without_cost)} is not known: no report, and no price of the model.`]),
    ...(estimated === 0
      ? []
      : [`Of the cost, ${dollarText(estimated)} is estimated from prices of the configuration.`]),
  ];
}

/** As in `$5.00`, `$0.25`, `$0.0012`: small amounts have more digits, so that none is shown as 0. */
export function dollarText(usd: number): string {
  if (usd === 0 || usd >= 1)
    return `$${usd.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  return `$${usd >= 0.0001 ? usd.toFixed(4).replace(/0{1,2}$/, '') : usd.toPrecision(2)}`;
}
