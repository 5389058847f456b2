/** How much is done, and how long it takes. */
import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { path } from '../api/http.ts';
import type { ThroughputAnswer } from '../api/types.ts';
import { Loading, Trouble } from '../parts/base/basics.tsx';
import { counted, duration, number } from '../parts/base/format.ts';
import { Plot, type Series } from '../parts/base/plot.tsx';
import { PresentOnly } from '../parts/base/present-only.tsx';
import { project } from '../state/filter.ts';
import { useResource } from '../state/resource.ts';

const SPANS = [
  [60, 'the last hour'],
  [360, 'the last 6 hours'],
  [1_440, 'the last day'],
] as const;

type Bucket = ThroughputAnswer['buckets'][number];
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

export function ThroughputPage() {
  const minutes = useSignal<number>(60);
  const only = project.value === '' ? '' : path`&project=${project.value}`;
  const { value, error, reload } = useResource<ThroughputAnswer>(
    `/api/throughput?minutes=${minutes.value}${only}`,
    {
      everyMs: 5_000,
    },
  );
  return (
    <div class="page">
      <header class="page-head">
        <h1>Throughput</h1>
        <label>
          <span class="visually-hidden">Span of time</span>
          <select
            value={minutes.value}
            onChange={(event) => {
              minutes.value = Number(event.currentTarget.value);
            }}
          >
            {SPANS.map(([count, text]) => (
              <option key={count} value={count}>
                {text}
              </option>
            ))}
          </select>
        </label>
      </header>
      <PresentOnly what="What was done is shown" />
      {error && <Trouble error={error} retry={reload} />}
      {!value && !error && <Loading what="the figures" />}
      {value && <Plots answer={value} />}
    </div>
  );
}

function Plots({ answer: { buckets } }: { readonly answer: ThroughputAnswer }) {
  const times = useMemo(() => buckets.map(({ time }) => Date.parse(time) / 1_000), [buckets]);
  const sum = (name: (typeof COUNTS)[number][0]): number =>
    buckets.reduce((total, bucket) => total + bucket[name], 0);
  return (
    <>
      <ul class="totals" aria-label="Sums of this span">
        {COUNTS.map(([name]) => (
          <li key={name}>
            <strong>{number(sum(name))}</strong> {name}
          </li>
        ))}
      </ul>
      <Plot
        title="Tasks a minute"
        times={times}
        series={COUNTS.map(([label, tone]) => ({
          label,
          tone,
          values: buckets.map((bucket) => bucket[label]),
        }))}
        format={(value) => number(Math.round(value))}
      />
      <Plot
        title="Time until an attempt starts"
        times={times}
        series={latencies(buckets, 'waiting_ms')}
        format={duration}
      />
      <Plot
        title="Time that attempts take"
        times={times}
        series={latencies(buckets, 'running_ms')}
        format={duration}
      />
      <p class="dim">Of {counted(buckets.length, 'minute')}, by the time of the events in the log.</p>
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
