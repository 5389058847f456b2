/** What agents have used: tokens and cost by day, and by agent, project, model and task; and the budgets. */
import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { budgetUseText, scopeText } from '../../src/contracts/budgets/budget-text.ts';
import { costText, dollarText, tokensText } from '../../src/contracts/usage-text.ts';
import { path } from '../api/http.ts';
import type { AnswerOf } from '../api/types.ts';
import { Empty, Section, StateBadge } from '../parts/base/basics.tsx';
import { moment, number } from '../parts/base/format.ts';
import { Page, type PageProps, Waiting } from '../parts/base/page.tsx';
import { Plot, type Series } from '../parts/base/plot.tsx';
import { Line } from '../parts/base/safe-text.tsx';
import { project } from '../state/filter.ts';
import { past } from '../state/past.ts';
import { useResource } from '../state/resource.ts';

type Usage = AnswerOf<'readUsage'>;
type Row = Usage['rows'][number];

const KEYS = ['agent', 'project', 'model', 'task'] as const;
type Key = (typeof KEYS)[number];

const PERIODS = [
  [7, 'the last 7 days'],
  [30, 'the last 30 days'],
  [90, 'the last 90 days'],
] as const;
const DAY_SECONDS = 86_400;
/** As many lines as a plot can show; the others are one line. */
const TONES = ['good', 'warn', 'calm', 'bad'] as const;
const MAX_DAY_ROWS = 1_000;
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function UsagePage({ title }: PageProps) {
  const days = useSignal<number>(30);
  const by = useSignal<Key>('agent');
  const at = past.value === null ? '' : path`&at=${String(past.value.board.sequence)}`;
  const only = project.value === '' ? '' : path`&project=${project.value}`;
  const range = `${path`&zone=${ZONE}`}${path`&from=${`${days.value - 1}d ago`}`}${only}${at}`;
  const sums = useResource<Usage>(`/api/usage?by=${by.value}&limit=50${range}`, { everyMs: 10_000 });
  const daily = useResource<Usage>(
    by.value === 'task'
      ? `/api/usage?by=day&limit=${MAX_DAY_ROWS}${range}`
      : `/api/usage?by=day,${by.value}&limit=${MAX_DAY_ROWS}${range}`,
    { everyMs: 10_000 },
  );
  return (
    <Page
      title={title}
      actions={
        <>
          <Select
            label="By"
            value={by.value}
            options={KEYS.map((key) => [key, `by ${key}`])}
            onChange={(key) => {
              by.value = key;
            }}
          />
          <Select
            label="Period"
            value={days.value}
            options={PERIODS}
            onChange={(count) => {
              days.value = count;
            }}
          />
        </>
      }
    >
      <Waiting resource={sums} what="the usage" />
      {sums.value && <Totals total={sums.value.total} />}
      {daily.value && <Plots answer={daily.value} by={by.value} days={days.value} />}
      {sums.value && <Sums answer={sums.value} by={by.value} />}
      {past.value === null && <Budgets />}
    </Page>
  );
}

interface SelectProps<Value extends string | number> {
  readonly label: string;
  readonly value: Value;
  readonly options: readonly (readonly [Value, string])[];
  readonly onChange: (value: Value) => void;
}

function Select<Value extends string | number>({ label, value, options, onChange }: SelectProps<Value>) {
  return (
    <label>
      <span class="visually-hidden">{label}</span>
      <select
        value={value}
        onChange={(event) => {
          const chosen = options.find(([each]) => String(each) === event.currentTarget.value);
          if (chosen) onChange(chosen[0]);
        }}
      >
        {options.map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function Totals({ total }: { readonly total: Usage['total'] }) {
  return (
    <ul class="totals" aria-label="Totals of this period">
      <li>
        <strong>{costText(total)}</strong> cost
      </li>
      <li>
        <strong>{tokensText(total)}</strong> tokens
      </li>
      <li>
        <strong>{number(total.attempts)}</strong> attempts
      </li>
      {total.attempts_without_cost > 0 && (
        <li>
          <strong>{number(total.attempts_without_cost)}</strong> without a known cost
        </li>
      )}
    </ul>
  );
}

function Plots({ answer, by, days }: { readonly answer: Usage; readonly by: Key; readonly days: number }) {
  const { times, cost, tokens } = useMemo(() => plotsOf(answer, by, days), [answer, by, days]);
  return (
    <>
      <Plot title="Known cost per day" times={times} series={cost} format={dollarText} />
      <Plot
        title="Tokens per day"
        times={times}
        series={tokens}
        format={(value) => number(Math.round(value))}
      />
    </>
  );
}

/** A line for each of the first names, and one for all others. */
function plotsOf({ rows }: Usage, by: Key, days: number) {
  const last = Date.parse(`${new Date().toLocaleDateString('sv-SE', { timeZone: ZONE })}T00:00:00Z`) / 1_000;
  const newest = Math.max(last, ...rows.map(({ day }) => secondsOf(day)));
  const times = Array.from({ length: days }, (_, index) => newest - (days - 1 - index) * DAY_SECONDS);
  const totals = new Map<string, number>();
  for (const row of rows) totals.set(nameOf(row, by), (totals.get(nameOf(row, by)) ?? 0) + (row.tokens ?? 0));
  const names = [...totals].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  const shown = names.slice(0, names.length > TONES.length ? TONES.length - 1 : TONES.length);
  const labels = names.length > shown.length ? [...shown, 'others'] : shown;
  const seriesOf = (value: (row: Row) => number): Series[] =>
    labels.map((label, index) => {
      const values = times.map(() => 0);
      for (const row of rows) {
        const name = nameOf(row, by);
        if ((shown.includes(name) ? name : 'others') !== label) continue;
        const place = times.indexOf(secondsOf(row.day));
        if (place >= 0) values[place] = (values[place] ?? 0) + value(row);
      }
      return { label, tone: TONES[index] ?? 'calm', values };
    });
  return { times, cost: seriesOf((row) => row.cost_usd ?? 0), tokens: seriesOf((row) => row.tokens ?? 0) };
}

const secondsOf = (day: string | undefined): number => Date.parse(`${day ?? '1970-01-01'}T00:00:00Z`) / 1_000;

function nameOf(row: Row, by: Key): string {
  switch (by) {
    case 'agent':
      return row.agent ?? '';
    case 'project':
      return row.project ?? '';
    case 'model':
      return row.model ?? 'unknown model';
    case 'task':
      return row.task === undefined ? 'all tasks' : `${row.project ?? ''}: ${row.task ?? 'older tasks'}`;
  }
}

function Sums({ answer: { rows, rest }, by }: { readonly answer: Usage; readonly by: Key }) {
  if (rows.length === 0) return <Empty title="No attempt has ended in this period." />;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{by}</th>
          <th scope="col">Attempts</th>
          <th scope="col">Input</th>
          <th scope="col">Cached</th>
          <th scope="col">Output</th>
          <th scope="col">Cost</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={nameOf(row, by)}>
            <td>
              <Line text={nameOf(row, by)} />
            </td>
            <Numbers figures={row} />
          </tr>
        ))}
        {rest !== null && (
          <tr>
            <td>{number(rest.rows)} more</td>
            <Numbers figures={rest} />
          </tr>
        )}
      </tbody>
    </table>
  );
}

function Numbers({ figures }: { readonly figures: Usage['total'] }) {
  const shown = (count: number): string => (figures.tokens === null && count === 0 ? '–' : number(count));
  return (
    <>
      <td>{number(figures.attempts)}</td>
      <td>{shown(figures.input_tokens)}</td>
      <td>{shown(figures.cache_read_tokens)}</td>
      <td>{shown(figures.output_tokens)}</td>
      <td>{costText(figures)}</td>
    </>
  );
}

function Budgets() {
  const { value } = useResource<AnswerOf<'listBudgets'>>('/api/budgets', { everyMs: 10_000 });
  const budgets = value?.budgets ?? [];
  if (budgets.length === 0) return null;
  return (
    <Section title="Budgets" count={budgets.length}>
      <ul class="rows">
        {budgets.map((budget) => (
          <li key={budget.id} class="row">
            <div class="row-main">
              {budget.id}
              <span class="row-facts">
                <StateBadge state={budget.status} />
                <span class="dim">
                  {scopeText({ agent: budget.agent ?? undefined, project: budget.project ?? undefined })},
                  this {budget.period}, until {moment(budget.until)}
                </span>
              </span>
              <span class="row-note">
                {budgetUseText(budget)}
                {budget.raised_by !== null && `, raised by ${budget.raised_by}`}
              </span>
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}
