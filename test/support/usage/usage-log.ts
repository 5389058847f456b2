/** A log of many attempts, with usages of every kind. */
import type { DomainEvent, StoredRecord } from '../../../src/contracts/events/events.ts';
import { subjectPartsOf } from '../../../src/contracts/messages/subjects.ts';
import type { Usage } from '../../../src/contracts/usage.ts';
import { encodeMessage } from '../../../src/journal/codec/cloud-event.ts';

/** A generator of numbers from 0 to 1, the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const MODELS = ['opus-5', 'sonnet-5', 'gpt-6', undefined] as const;

interface UsageLog {
  readonly attempts: number;
  /** Epoch milliseconds of the first end, and between two ends. */
  readonly begin: number;
  readonly everyMs: number;
  readonly seed?: number;
}

/** The start and the end of each attempt; some never started, some report nothing, some have no cost. */
export function* usageLog({ attempts, begin, everyMs, seed = 7 }: UsageLog): Iterable<StoredRecord> {
  const random = randomOf(seed);
  const pick = (count: number): number => Math.floor(random() * count);
  let sequence = 0;
  const record = (event: DomainEvent, time: number): StoredRecord => ({
    sequence: ++sequence,
    id: `w-${sequence}`,
    time,
    actor: 'supervisor',
    cause: undefined,
    previousHash: '0'.repeat(64),
    left: 0,
    event,
    transitions: [],
  });
  for (let number = 0; number < attempts; number++) {
    const time = begin + number * everyMs;
    const attempt = { project: `p${pick(3)}`, task: `t${Math.floor(number / 2)}`, attempt: 1 };
    const agent = `a${pick(4)}`;
    const ref = { ...attempt, agent };
    if (pick(20) > 0)
      yield record(
        { type: 'attempt.started', ...ref, driver: 'claude', host: 'box', deadline_ms: time },
        time - 1,
      );
    const usage = pick(10) === 0 ? undefined : usageOf(pick);
    yield record({ type: 'attempt.ended', ...ref, outcome: 'completed', usage, retry_at_ms: null }, time);
  }
}

function usageOf(pick: (count: number) => number): Usage {
  const model = MODELS[pick(MODELS.length)];
  const cache_read_tokens = pick(90_000);
  const tokens = {
    ...(model !== undefined && { model }),
    input_tokens: cache_read_tokens + pick(9_000),
    output_tokens: pick(3_000),
    cache_read_tokens,
  };
  if (pick(4) === 0) return { ...tokens, cost_source: 'unknown' };
  const cost_usd = pick(3_000_000) / 1e6;
  if (pick(4) === 0) return { ...tokens, cost_usd, cost_source: 'estimated' };
  // As events of 0.1.0 have it.
  return pick(4) === 0 ? { ...tokens, cost_usd } : { ...tokens, cost_usd, cost_source: 'reported' };
}

/** As it is stored. */
export function lineOf(record: StoredRecord): string {
  return encodeMessage([{ record, json: JSON.stringify(record.event) }], subjectPartsOf(record.event));
}
