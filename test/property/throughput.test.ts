import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Histogram, note, quantiles } from '../../projections/histogram.ts';
import { figuresOf, MINUTE_MS, MINUTES, type Throughput, throughput } from '../../projections/throughput.ts';
import type { StoredRecord } from '../../src/contracts/events/events.ts';
import { attemptKey, taskKey } from '../../src/contracts/ids.ts';
import { ActorHost } from '../../src/engine/runtime/actor-host.ts';
import { type Claims, eventOf, step } from '../support/history/random-history.ts';

const BEGIN = Date.UTC(2025, 0, 1);
const SHARES = [0.5, 0.95, 0.99, 1] as const;
const COUNTS = ['created', 'started', 'completed', 'failed', 'retried', 'cancelled'] as const;

/** Milliseconds to the next event: mostly little, at times most of a day, or back to where another clock is. */
const gap = fc.oneof(
  { weight: 40, arbitrary: fc.integer({ min: 0, max: 40_000 }) },
  { weight: 15, arbitrary: fc.integer({ min: 0, max: 20 * MINUTE_MS }) },
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 30 * 60 * MINUTE_MS }) },
  { weight: 5, arbitrary: fc.integer({ min: -5 * MINUTE_MS, max: 0 }) },
  { weight: 1, arbitrary: fc.integer({ min: -30 * 60 * MINUTE_MS, max: 0 }) },
);
const histories = fc
  .array(fc.tuple(step, gap), { minLength: 10, maxLength: 90, size: 'max' })
  .map((steps): StoredRecord[] => {
    const host = new ActorHost();
    const claims: Claims = new Map();
    const records: StoredRecord[] = [];
    let time = BEGIN;
    for (const [each, ms] of steps) {
      const event = eventOf(each, host, claims);
      time += ms;
      try {
        const transitions = host.apply(event);
        const sequence = records.length + 1;
        const place = {
          id: `w-${sequence}`,
          sequence,
          actor: 'user:test',
          cause: undefined,
          previousHash: '',
          left: 0,
        };
        records.push({ ...place, time, event, transitions });
      } catch {
        continue;
      }
      if (event.type === 'task.claimed') {
        claims.set(attemptKey(event), event.agent);
      }
    }
    return records;
  });

function folded(records: readonly StoredRecord[]): Throughput {
  const state = throughput.initial();
  for (const record of records) throughput.evolve(state, record);
  return state;
}

type Counted = (typeof COUNTS)[number];
type Fact = { readonly project: string; readonly time: number } & (
  | { readonly counts: Counted }
  | { readonly takes: 'waiting' | 'running'; readonly ms: number }
);

/** What one event means, found by looking through all that came before it. */
function factsOf(record: StoredRecord, before: readonly StoredRecord[]): Fact[] {
  const { event, time, transitions } = record;
  if (!('task' in event)) return [];
  const id = taskKey(event);
  const at = { project: event.project, time };
  const moveOf = (each: StoredRecord) =>
    each.transitions.find((move) => move.entity === 'task' && move.id === id && move.from !== move.to);
  const facts: Fact[] = [];
  if (event.type === 'task.created') facts.push({ ...at, counts: 'created' });
  if (event.type === 'attempt.started') {
    const ready = before.findLast((each) => moveOf(each)?.to === 'pending');
    facts.push({ ...at, counts: 'started' });
    facts.push({ ...at, takes: 'waiting', ms: Math.max(0, time - (ready?.time ?? Number.NaN)) });
  }
  if (event.type === 'attempt.ended') {
    const start = before.findLast(
      ({ event: each }) =>
        each.type === 'attempt.started' && taskKey(each) === id && each.attempt === event.attempt,
    );
    if (start) facts.push({ ...at, takes: 'running', ms: Math.max(0, time - start.time) });
  }
  const to = transitions.length > 0 ? moveOf(record)?.to : undefined;
  const hasBeenTried = /^(attempt\.ended|task\.(failure_reported|rejected|redriven))$/.test(event.type);
  if (to === 'done') facts.push({ ...at, counts: 'completed' });
  if (to === 'failed' || to === 'expired') facts.push({ ...at, counts: 'failed' });
  if (to === 'cancelled') facts.push({ ...at, counts: 'cancelled' });
  if ((to === 'pending' || to === 'scheduled') && hasBeenTried) facts.push({ ...at, counts: 'retried' });
  return facts;
}

const minuteOf = ({ time }: { readonly time: number }): number => Math.floor(time / MINUTE_MS);

/** The value of which a share of all is not larger. */
function quantileOf(sorted: readonly number[], share: number): number {
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? Number.NaN;
}

function expectQuantiles(histogram: Histogram, durations: readonly number[]): void {
  const found = quantiles(histogram, SHARES);
  if (durations.length === 0) return expect(found).toBeNull();
  const sorted = durations.toSorted((a, b) => a - b);
  for (const [index, share] of SHARES.entries()) {
    const exact = quantileOf(sorted, share);
    const off = Math.abs((found?.[index] ?? Number.NaN) - exact);
    expect(off).toBeLessThanOrEqual(exact < 16 ? 0 : exact / 16);
  }
}

describe('a histogram of durations', () => {
  it('gives every quantile exact to a sixteenth, for short and long durations', () => {
    const duration = fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 10_000 }), fc.nat({ max: 2 ** 31 - 1 }));
    fc.assert(
      fc.property(fc.array(duration, { maxLength: 300, size: 'max' }), (durations) => {
        const histogram: Histogram = new Map();
        for (const each of durations) note(histogram, each);
        expectQuantiles(histogram, durations);
      }),
    );
  });

  it('has few classes for any input', () => {
    const histogram: Histogram = new Map();
    for (let ms = 1; ms < 2 ** 40; ms = Math.ceil(ms * 1.01)) note(histogram, ms);
    note(histogram, -1);
    expect(histogram.size).toBeLessThanOrEqual(232);
  });
});

describe('the throughput of the last day', () => {
  it('equals a count over all events, minute by minute, for each project and for all', () => {
    let measured = 0;
    fc.assert(
      fc.property(histories, (records) => {
        const facts = records.flatMap((record, index) => factsOf(record, records.slice(0, index)));
        const newest = Math.max(...facts.map(minuteOf));
        const state = folded(records);
        for (const minute of new Set(facts.map(minuteOf))) {
          const isKept = minute > newest - MINUTES;
          for (const project of [undefined, 'p', 'q']) {
            const own = facts.filter(
              (fact) => isKept && minuteOf(fact) === minute && fact.project === (project ?? fact.project),
            );
            const figures = figuresOf(state, minute, project);
            if (own.length === 0) {
              expect(figures).toBeNull();
              continue;
            }
            for (const what of COUNTS) {
              const count = own.filter((fact) => 'counts' in fact && fact.counts === what).length;
              expect(figures?.[what], what).toBe(count);
            }
            for (const what of ['waiting', 'running'] as const) {
              const durations = own.flatMap((fact) =>
                'takes' in fact && fact.takes === what ? fact.ms : [],
              );
              measured += durations.length;
              expectQuantiles(figures?.[what] ?? new Map(), durations);
            }
          }
        }
      }),
      { numRuns: 300 },
    );
    expect(measured).toBeGreaterThan(100);
  });

  it('continues from a restored state as from the original', () => {
    fc.assert(
      fc.property(histories, fc.nat({ max: 90 }), (records, cut) => {
        const kept = throughput.restore(
          JSON.parse(JSON.stringify(throughput.toJSON(folded(records.slice(0, cut))))),
        );
        for (const record of records.slice(cut)) throughput.evolve(kept, record);
        expect(throughput.toJSON(kept)).toEqual(throughput.toJSON(folded(records)));
      }),
      { numRuns: 100 },
    );
  });

  it('does not change entries that were read', () => {
    fc.assert(
      fc.property(histories, (records) => {
        const state = throughput.initial();
        let handedOut: unknown = null;
        let text = '';
        for (const record of records) {
          throughput.evolve(state, record);
          expect(JSON.stringify(handedOut)).toBe(text === '' ? 'null' : text);
          handedOut = throughput.toJSON(state);
          text = JSON.stringify(handedOut);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('keeps one day, and only tasks that wait or run', () => {
    const state = throughput.initial();
    const host = new ActorHost();
    host.apply({ type: 'agent.registered', agent: 'x', driver: 'd', capabilities: [], concurrency: 1 });
    const spec = { title: 't', max_attempts: 1, outputs: 'optional', agent: 'x' } as never;
    let sequence = 0;
    const say = (event: StoredRecord['event'], time: number): void => {
      const place = { id: '', actor: '', cause: undefined, previousHash: '', left: 0, sequence: ++sequence };
      throughput.evolve(state, { ...place, time, event, transitions: host.apply(event) });
    };
    for (let hour = 0; hour < 24 * 10; hour++) {
      const time = BEGIN + hour * 60 * MINUTE_MS;
      const task = { project: 'p', task: `t${hour}` };
      const attempt = { ...task, attempt: 1, agent: 'x' };
      say({ type: 'task.created', ...task, spec, request_sha256: '' }, time);
      say({ type: 'task.claimed', ...attempt }, time);
      say({ type: 'attempt.started', ...attempt, driver: 'd', host: 'h', deadline_ms: 0 }, time + 7);
      say({ type: 'attempt.ended', ...attempt, outcome: 'completed', retry_at_ms: null }, time + 20);
      say({ type: 'task.approved', ...task }, time + 21);
    }
    const json = throughput.toJSON(state) as Record<'minutes' | 'pending' | 'running', unknown[]>;
    expect(json.minutes).toHaveLength(24);
    expect(json.minutes.at(-1)).toEqual([
      BEGIN / MINUTE_MS + 239 * 60,
      [['p', [1, 1, 1, 0, 0, 0], [[7, 1]], [[13, 1]]]],
    ]);
    expect(json.pending).toEqual([]);
    expect(json.running).toEqual([]);
  });
});
