/** What agents have used: tokens and cost by day, and by agent, project, model and task; and the budgets. */
import { useSignal } from '@preact/signals';
import { costText, tokensText, usageNotes } from '../../src/contracts/usage-text.ts';
import { path } from '../api/http.ts';
import type { Usage } from '../api/types.ts';
import { Empty } from '../parts/base/basics.tsx';
import { number, ZONE } from '../parts/base/format.ts';
import { taskHref } from '../parts/base/links.tsx';
import { Page, type PageProps, Waiting } from '../parts/base/page.tsx';
import { Line } from '../parts/base/safe-text.tsx';
import { BudgetList } from '../parts/usage/budget-list.tsx';
import { type UsageKey, UsagePlots, usageName } from '../parts/usage/usage-plots.tsx';
import { project } from '../state/filter.ts';
import { past, shownTime } from '../state/past.ts';
import { useResource } from '../state/resource.ts';

const KEYS = ['agent', 'project', 'model', 'task'] as const;
const PERIODS = [
  [7, 'the last 7 days'],
  [30, 'the last 30 days'],
  [90, 'the last 90 days'],
] as const;
const DAY_MS = 86_400_000;
const EVERY = { everyMs: 10_000 };
/** The most that an answer has. */
const MAX_ROWS = 1_000;
const ROWS_SHOWN = 50;

/** As in `2026-11-30`. */
const dayOf = (time: number): string => new Date(time).toLocaleDateString('sv-SE', { timeZone: ZONE });

export function UsagePage({ title }: PageProps) {
  const days = useSignal<number>(30);
  const by = useSignal<UsageKey>('agent');
  const at = past.value === null ? '' : path`&at=${String(past.value.board.sequence)}`;
  const only = project.value === '' ? '' : path`&project=${project.value}`;
  const lastDay = dayOf(shownTime.value);
  const from = dayOf(shownTime.value - (days.value - 1) * DAY_MS);
  const range = `${path`&zone=${ZONE}&from=${from}`}${only}${at}`;
  const sums = useResource<Usage>(`/api/usage?by=${by.value}&limit=${ROWS_SHOWN}${range}`, EVERY);
  const isSplit = sums.value !== undefined && canSplit(sums.value, by.value, days.value);
  const dayKeys = isSplit ? `day,${by.value}` : 'day';
  const daily = useResource<Usage>(
    sums.value === undefined ? null : `/api/usage?by=${dayKeys}&limit=${MAX_ROWS}${range}`,
    EVERY,
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
      {past.value === null && <BudgetList />}
      {sums.value?.total.attempts === 0 && <Empty title="No attempt has ended in this period." />}
      {daily.value && daily.value.total.attempts > 0 && (
        <UsagePlots answer={daily.value} by={isSplit ? by.value : null} lastDay={lastDay} days={days.value} />
      )}
      {sums.value && sums.value.rows.length > 0 && <Sums answer={sums.value} by={by.value} />}
    </Page>
  );
}

/** Whether an answer has room for the rows of each day. */
function canSplit({ rows, rest }: Usage, by: UsageKey, days: number): boolean {
  return by !== 'task' && (rows.length + (rest?.rows ?? 0)) * days <= MAX_ROWS;
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
    <>
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
      </ul>
      {usageNotes(total).map((note) => (
        <p key={note} class="dim">
          {note}
        </p>
      ))}
    </>
  );
}

function Sums({ answer: { rows, rest, total }, by }: { readonly answer: Usage; readonly by: UsageKey }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable area has to be reachable by the keyboard.
    <section class="section scroll" tabIndex={0} aria-label={`Sums by ${by}`}>
      <table class="numbers">
        <thead>
          <tr>
            <th scope="col">By {by}</th>
            {['Attempts', 'Input', 'Cached', 'Output', 'Tokens', 'Cost'].map((name) => (
              <th key={name} scope="col" class="right">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={usageName(row, by)}>
              <td>
                <Name row={row} by={by} />
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
        <tfoot>
          <tr>
            <th scope="row">Total</th>
            <Numbers figures={total} />
          </tr>
        </tfoot>
      </table>
    </section>
  );
}

function Name({ row, by }: { readonly row: Usage['rows'][number]; readonly by: UsageKey }) {
  const name = <Line text={usageName(row, by)} />;
  if (by !== 'task' || row.project === undefined || row.task == null) return name;
  return <a href={taskHref({ project: row.project, id: row.task })}>{name}</a>;
}

function Numbers({ figures }: { readonly figures: Usage['total'] }) {
  const shown = (count: number): string => (figures.tokens === null && count === 0 ? '–' : number(count));
  const cells = [
    number(figures.attempts),
    shown(figures.input_tokens),
    shown(figures.cache_read_tokens),
    shown(figures.output_tokens),
    tokensText(figures),
    costText(figures),
  ];
  return (
    <>
      {cells.map((cell, index) => (
        <td key={index} class="right">
          {cell}
        </td>
      ))}
    </>
  );
}
