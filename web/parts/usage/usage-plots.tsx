/** Cost and tokens of each day, by what the user has chosen. */
import { useMemo } from 'preact/hooks';
import { costText, dollarText, tokensText } from '../../../src/contracts/usage-text.ts';
import type { Usage } from '../../api/types.ts';
import type { Tone } from '../base/basics.tsx';
import { compact, number } from '../base/format.ts';
import { Plot, type Series } from '../base/plot.tsx';

export type UsageKey = 'agent' | 'project' | 'model' | 'task';
type Row = Usage['rows'][number];
/** The rows of one name, or of several that are shown as one. */
interface Group {
  readonly label: string;
  readonly tone: Tone;
  readonly rows: readonly Row[];
}

/** Of as many parts as a bar can show; all others are one. */
const TONES = ['active', 'good', 'warn', 'ask'] as const;
const OTHERS = 'calm';
const DAY_MS = 86_400_000;

interface UsagePlotsProps {
  readonly answer: Usage;
  /** null if the days are not split. */
  readonly by: UsageKey | null;
  /** As in `2026-11-30`. */
  readonly lastDay: string;
  readonly days: number;
}

export function UsagePlots({ answer, by, lastDay, days }: UsagePlotsProps) {
  const { times, cost, tokens } = useMemo(
    () => plotsOf(answer, by, lastDay, days),
    [answer, by, lastDay, days],
  );
  return (
    <>
      <Plot
        kind="days"
        title="Cost per day, as far as it is known"
        times={times}
        series={cost}
        unit="US dollars"
        format={dollarText}
      />
      <Plot
        kind="days"
        title="Tokens per day, as far as they are known"
        times={times}
        series={tokens}
        unit="tokens"
        format={(value) => number(Math.round(value))}
        axisFormat={compact}
      />
    </>
  );
}

function plotsOf({ rows }: Usage, by: UsageKey | null, lastDay: string, days: number) {
  const last = Date.parse(`${lastDay}T00:00:00Z`);
  const starts = Array.from({ length: days }, (_, index) => last - (days - 1 - index) * DAY_MS);
  const names = starts.map((start) => new Date(start).toISOString().slice(0, 10));
  const groups = groupsOf(rows, by);
  const series = (known: (row: Row) => number | null, textOf: (row: Row) => string): Series[] =>
    groups.map(({ label, tone, rows: own }) => {
      const ofDay = names.map((day) => own.filter((row) => row.day === day).reduce(added, undefined));
      const total = own.reduce(added, undefined);
      return {
        label,
        tone,
        total: total === undefined ? '–' : textOf(total),
        values: ofDay.map((row) => (row === undefined ? 0 : known(row))),
        texts: ofDay.map((row) => (row === undefined ? '–' : textOf(row))),
      };
    });
  return {
    times: starts.map((start) => start / 1_000),
    cost: series((row) => row.cost_usd, costText),
    tokens: series((row) => row.tokens, tokensText),
  };
}

/** The names with the most cost, and all others together. */
function groupsOf(rows: readonly Row[], by: UsageKey | null): Group[] {
  const byName = new Map<string, Row[]>();
  for (const row of rows) {
    const name = by === null ? 'all' : usageName(row, by);
    byName.set(name, [...(byName.get(name) ?? []), row]);
  }
  const costs = [...byName].map(([label, own]) => ({ label, own, sum: own.reduce(added, undefined) }));
  costs.sort((a, b) => (b.sum?.cost_usd ?? 0) - (a.sum?.cost_usd ?? 0));
  const groups = costs.map(
    ({ label, own }, index): Group => ({ label, tone: TONES[index] ?? OTHERS, rows: own }),
  );
  if (groups.length <= TONES.length + 1) return groups;
  const others = groups.slice(TONES.length);
  const label = `${others.length} others`;
  return [
    ...groups.slice(0, TONES.length),
    { label, tone: OTHERS, rows: others.flatMap(({ rows: own }) => own) },
  ];
}

/** What is not known of both is not known. */
function added(a: Row | undefined, b: Row): Row {
  if (a === undefined) return b;
  const sum = (x: number | null, y: number | null): number | null =>
    x === null && y === null ? null : (x ?? 0) + (y ?? 0);
  return {
    ...a,
    cost_usd: sum(a.cost_usd, b.cost_usd),
    tokens: sum(a.tokens, b.tokens),
    attempts_without_cost: a.attempts_without_cost + b.attempts_without_cost,
    attempts_without_tokens: a.attempts_without_tokens + b.attempts_without_tokens,
  };
}

/** What a row is for. */
export function usageName(row: Row, by: UsageKey): string {
  switch (by) {
    case 'agent':
      return row.agent ?? '';
    case 'project':
      return row.project ?? '';
    case 'model':
      return row.model ?? 'unknown model';
    case 'task':
      return `${row.project ?? ''}/${row.task ?? 'older tasks'}`;
  }
}
