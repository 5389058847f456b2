/** How many tasks are created and finished, and how long attempts wait and run. */
import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { path } from '../api/http.ts';
import type { Throughput } from '../api/types.ts';
import { counted, duration, number } from '../parts/base/format.ts';
import { Page, type PageProps, Waiting } from '../parts/base/page.tsx';
import { Plot, type Series } from '../parts/base/plot.tsx';
import { PresentOnly } from '../parts/base/present-only.tsx';
import { project } from '../state/filter.ts';
import { useResource } from '../state/resource.ts';

const PERIODS = [
  [60, 'the last hour'],
  [360, 'the last 6 hours'],
  [1_440, 'the last day'],
] as const;

type Bucket = Throughput['buckets'][number];
type Latency = 'waiting_ms' | 'running_ms';

const COUNTS = [
  ['created', 'calm'],
  ['completed', 'good'],
  ['retried', 'warn'],
  ['failed', 'bad'],
] as const;
const QUANTILES = [
  ['p50', 'good'],
  ['p95', 'warn'],
  ['p99', 'bad'],
] as const;

export function ThroughputPage({ title }: PageProps) {
  const minutes = useSignal<number>(60);
  const only = project.value === '' ? '' : path`&project=${project.value}`;
  const url = `/api/throughput?minutes=${minutes.value}${only}`;
  const resource = useResource<Throughput>(url, { everyMs: 5_000 });
  return (
    <Page
      title={title}
      actions={
        <label>
          <span class="visually-hidden">Period</span>
          <select
            value={minutes.value}
            onChange={(event) => {
              minutes.value = Number(event.currentTarget.value);
            }}
          >
            {PERIODS.map(([count, text]) => (
              <option key={count} value={count}>
                {text}
              </option>
            ))}
          </select>
        </label>
      }
    >
      <PresentOnly />
      <Waiting resource={resource} what="the figures" />
      {resource.value && <Plots answer={resource.value} />}
    </Page>
  );
}

function Plots({ answer: { buckets } }: { readonly answer: Throughput }) {
  const times = useMemo(() => buckets.map(({ time }) => Date.parse(time) / 1_000), [buckets]);
  const sum = (name: (typeof COUNTS)[number][0]): number =>
    buckets.reduce((total, bucket) => total + bucket[name], 0);
  return (
    <>
      <ul class="totals" aria-label="Totals of this period">
        {COUNTS.map(([name]) => (
          <li key={name}>
            <strong>{number(sum(name))}</strong> {name}
          </li>
        ))}
      </ul>
      <Plot
        title="Tasks per minute"
        unit="tasks"
        times={times}
        series={COUNTS.map(([label, tone]) => ({
          label,
          tone,
          values: buckets.map((bucket) => bucket[label]),
        }))}
        format={(value) => number(Math.round(value))}
      />
      <Plot
        title="Wait until an attempt starts"
        unit="duration"
        times={times}
        series={latencies(buckets, 'waiting_ms')}
        format={duration}
      />
      <Plot
        title="Duration of attempts"
        unit="duration"
        times={times}
        series={latencies(buckets, 'running_ms')}
        format={duration}
      />
      <p class="dim">{counted(buckets.length, 'minute')}, by the time of the events in the log.</p>
    </>
  );
}

function latencies(buckets: readonly Bucket[], name: Latency): readonly Series[] {
  return QUANTILES.map(([label, tone]) => ({
    label,
    tone,
    values: buckets.map((bucket) => bucket[name]?.[label] ?? null),
  }));
}
