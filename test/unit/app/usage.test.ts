import { describe, expect, it } from 'vitest';
import { usage as allKept, usageProjection } from '../../../projections/usage.ts';
import { UsageSum } from '../../../scripts/sum-usage.mjs';
import { Past } from '../../../src/app/events/past.ts';
import { readUsage } from '../../../src/app/overview/usage.ts';
import { readUsageSchema, type UsageAnswer, type UsageRow } from '../../../src/contracts/api/usage/usage.ts';
import type { StoredRecord } from '../../../src/contracts/events/events.ts';
import { taskKey } from '../../../src/contracts/ids.ts';
import { PastOf } from '../../support/history/past.ts';
import { lineOf, usageLog } from '../../support/usage/usage-log.ts';

const signal = new AbortController().signal;
const HOUR = 3_600_000;
/** Over both changes of daylight saving in Berlin. */
const BEGIN = Date.UTC(2026, 2, 20);

/** The parts of a Signalbox that reading the usage needs. */
function appOf(records: readonly StoredRecord[], projection = allKept) {
  const usage = projection.initial();
  for (const record of records) projection.evolve(usage, record);
  const past = new PastOf(records);
  const projections = { usage, sequence: records.length };
  return { state: { projections }, environment: past.environment, past: new Past(past, { stride: 100 }) };
}
type App = ReturnType<typeof appOf>;

async function read(app: App, query: object): Promise<UsageAnswer> {
  return readUsage(app, readUsageSchema.parse(query), signal);
}

/** As the script prints it. */
function rowsOf({ by, rows }: UsageAnswer): Map<string, number[]> {
  const nameOf = (row: UsageRow): string =>
    by
      .map((key) =>
        key === 'task' ? taskKey({ project: row.project ?? '', task: row.task ?? '' }) : (row[key] ?? ''),
      )
      .join(' ');
  return new Map(
    rows.map((row) => [
      nameOf(row),
      [
        row.attempts,
        row.input_tokens,
        row.output_tokens,
        row.cache_read_tokens,
        row.cache_write_tokens,
        Math.round((row.cost_usd ?? 0) * 1e9),
        row.attempts_without_tokens,
        row.attempts_without_cost,
      ],
    ]),
  );
}

function summed(records: readonly StoredRecord[], by: readonly string[], zone: string): UsageSum['rows'] {
  const sum = new UsageSum(by, zone);
  for (const record of records) sum.add(lineOf(record));
  return sum.rows;
}

describe('usage', () => {
  const records = [...usageLog({ attempts: 3_000, begin: BEGIN, everyMs: 2 * HOUR })];

  it.each([
    ['day', 'Europe/Berlin'],
    ['day', 'Australia/Lord_Howe'],
    ['day', 'Asia/Kathmandu'],
    ['agent,model', 'UTC'],
    ['project,day', 'America/New_York'],
    ['task', 'UTC'],
  ])('by %s in %s is the sum that an independent script makes of the log', async (by, zone) => {
    const app = appOf(records);
    for (const sequence of [records.length, 2_000, 17]) {
      const answer = await read(app, { by, zone, limit: 1_000, at: String(sequence) });
      const expected = summed(records.slice(0, sequence), by.split(','), zone);
      expect(answer.sequence).toBe(sequence);
      expect(answer.rows.length).toBe(Math.min(expected.size, 1_000));
      for (const [name, row] of rowsOf(answer)) expect(row).toEqual(expected.get(name));
    }
    expect((await read(app, { by, zone })).total).toEqual(
      (await read(app, { by, zone, at: String(records.length) })).total,
    );
  });

  it('is the same with attempts so old that they are kept as sums, after a restart, and in a copy', async () => {
    const projection = usageProjection(2);
    const many = [...usageLog({ attempts: 6_000, begin: BEGIN, everyMs: 60_000 })];
    const app = appOf(many, projection);
    const { usage } = app.state.projections;
    expect([...usage.days.values()].flat().length).toBeLessThan(4_900);
    expect(usage.pages.length).toBe(2);
    for (const [by, zone] of [
      ['day', 'Asia/Kathmandu'],
      ['agent,model', 'UTC'],
    ] as const) {
      const answer = await read(app, { by, zone, limit: 1_000 });
      const expected = summed(many, by.split(','), zone);
      expect(answer.rows.length).toBe(expected.size);
      for (const [name, row] of rowsOf(answer)) expect(row).toEqual(expected.get(name));
    }
    const copied = projection.copy(usage);
    const text = JSON.stringify(projection.toJSON(usage));
    const restored = projection.restore(JSON.parse(text));
    const begin = BEGIN + 6_000 * 60_000;
    for (const record of usageLog({ attempts: 2_000, begin, everyMs: HOUR, seed: 8 })) {
      projection.evolve(restored, record);
      projection.evolve(usage, record);
    }
    expect(JSON.stringify(projection.toJSON(restored))).toBe(JSON.stringify(projection.toJSON(usage)));
    expect(JSON.stringify(projection.toJSON(copied))).toBe(text);
  });

  it('looks at each attempt once, and at nothing else', async () => {
    const app = appOf(records);
    const { usage } = app.state.projections;
    let seen = 0;
    const counted = usage.pages.map(
      (page) =>
        new Proxy(page, {
          get: (target, key, receiver) => {
            if (typeof key === 'string' && /^\d+$/.test(key)) seen++;
            return Reflect.get(target, key, receiver);
          },
        }),
    );
    usage.pages.splice(0, usage.pages.length, ...counted);
    const { total } = await read(app, { by: 'day,agent', zone: 'Europe/Berlin' });
    expect(seen).toBe(total.attempts);
  });

  it('counts days of the zone from their first to their last moment', async () => {
    const app = appOf(records);
    const all = await read(app, { by: 'day', zone: 'Europe/Berlin', limit: 1_000 });
    for (const day of ['2026-03-29', '2026-10-25']) {
      const one = await read(app, { by: 'day', zone: 'Europe/Berlin', from: day, to: day });
      expect(one.rows).toEqual(all.rows.filter((row) => row.day === day));
    }
    expect((await read(app, { from: '2026-03-29', to: '2026-03-29', zone: 'Europe/Berlin' })).from).toBe(
      '2026-03-28T23:00:00.000Z',
    );
    const refused = expect.objectContaining({ code: 'invalid_request' });
    await expect(read(app, { from: '2026-02-31' })).rejects.toEqual(refused);
    await expect(read(app, { to: '17' })).rejects.toEqual(refused);
  });

  it.each(['task', 'agent,task', 'day', 'day,task'])(
    'by %s shows the first rows of the order, and sums up the others',
    async (by) => {
      const app = appOf(records.slice(0, 1_000));
      const { rows: all, total } = await read(app, { by, limit: 1_000 });
      const isBefore = (a: UsageRow, b: UsageRow): boolean =>
        a.day === b.day ? (a.cost_usd ?? 0) >= (b.cost_usd ?? 0) : (a.day ?? '') < (b.day ?? '');
      for (const [index, row] of all.slice(1).entries())
        expect(all[index]).toSatisfy((it) => isBefore(it, row));
      for (const limit of [1, 5, all.length - 1]) {
        const { rows, rest } = await read(app, { by, limit });
        expect(rows).toEqual(all.slice(0, limit));
        const others = all.slice(limit);
        expect(rest?.rows).toBe(others.length);
        for (const figure of ['attempts', 'input_tokens', 'output_tokens', 'attempts_without_cost'] as const)
          expect(rest?.[figure]).toBe(others.reduce((sum, row) => sum + row[figure], 0));
        const costs = rows.reduce((sum, row) => sum + (row.cost_usd ?? 0), rest?.cost_usd ?? 0);
        expect(costs).toBeCloseTo(total.cost_usd ?? 0, 6);
      }
    },
  );

  it('knows no cost if none is known, and says of how many attempts it is missing', async () => {
    const [started, ended] = [...usageLog({ attempts: 1, begin: BEGIN, everyMs: 1 })];
    const of = (usage: object | undefined): StoredRecord[] =>
      [started, ended].flatMap((each) =>
        each === undefined
          ? []
          : [
              {
                ...each,
                event: { ...each.event, ...(each.event.type === 'attempt.ended' && { usage }) },
              } as StoredRecord,
            ],
      );
    const none = await read(appOf(of(undefined)), {});
    expect(none.total).toMatchObject({ attempts: 1, tokens: null, cost_usd: null, attempts_without_cost: 1 });
    const known = await read(
      appOf([...of(undefined), ...of({ input_tokens: 5, output_tokens: 1, cost_usd: 0.5 })]),
      {},
    );
    expect(known.total).toMatchObject({ attempts: 2, tokens: 6, cost_usd: 0.5, attempts_without_cost: 1 });
  });

  it('takes no negative numbers, and gives an agent a limited number of models', async () => {
    const [started, ended] = [...usageLog({ attempts: 1, begin: BEGIN, everyMs: 1 })];
    if (started === undefined || ended?.event.type !== 'attempt.ended') throw new Error('no attempt');
    const { event } = ended;
    const lies = Array.from(
      { length: 100 },
      (_, index): StoredRecord => ({
        ...ended,
        event: {
          ...event,
          usage: { model: `m${index}`, input_tokens: -5, output_tokens: 1e300, cost_usd: -1 },
        },
      }),
    );
    const { rows, total } = await read(appOf([started, ...lies]), { by: 'model' });
    expect(rows.length).toBe(21);
    expect(rows.find(({ model }) => model === 'other')?.attempts).toBe(80);
    expect(total).toMatchObject({ input_tokens: 0, output_tokens: 100e12, cost_usd: 0 });
  });
});
