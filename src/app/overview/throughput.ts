/** Throughput and durations of the last minutes. */
import { type Histogram, quantiles } from '../../../projections/histogram.ts';
import { type Figures, figuresOf, MINUTE_MS } from '../../../projections/throughput.ts';
import type { ReadThroughput, ThroughputAnswer } from '../../contracts/api/throughput.ts';
import type { Needs } from '../context.ts';
import { timeOf } from '../tasks/task-json.ts';

type Bucket = ThroughputAnswer['buckets'][number];

const SHARES = [0.5, 0.95, 0.99] as const;

export function readThroughput(
  { state: { projections }, environment }: Needs<'state.projections' | 'environment'>,
  { minutes, project }: ReadThroughput,
): ThroughputAnswer {
  const end = Math.floor(environment.clock.now() / MINUTE_MS) + 1;
  const begin = end - minutes;
  return {
    bucket_seconds: 60,
    from: timeOf(begin * MINUTE_MS),
    to: timeOf(end * MINUTE_MS),
    buckets: Array.from({ length: minutes }, (_, index) => {
      const minute = begin + index;
      return bucketOf(minute, figuresOf(projections.throughput, minute, project));
    }),
  };
}

function bucketOf(minute: number, figures: Figures | null): Bucket {
  return {
    time: timeOf(minute * MINUTE_MS),
    created: figures?.created ?? 0,
    started: figures?.started ?? 0,
    completed: figures?.completed ?? 0,
    failed: figures?.failed ?? 0,
    retried: figures?.retried ?? 0,
    cancelled: figures?.cancelled ?? 0,
    waiting_ms: quantilesOf(figures?.waiting),
    running_ms: quantilesOf(figures?.running),
  };
}

function quantilesOf(durations: Histogram | undefined): Bucket['waiting_ms'] {
  const found = durations && quantiles(durations, SHARES);
  if (!found) return null;
  const [p50 = 0, p95 = 0, p99 = 0] = found;
  return { p50, p95, p99 };
}
