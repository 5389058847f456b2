/** Times of schedules: over changes of daylight saving, and each once over crashes between a time and its task. */
import { describe, expect, it } from 'vitest';
import { readSchedule } from '../../../src/app/schedules/schedules.ts';
import {
  HOUR_MS,
  MINUTE_MS,
  nominals,
  type ScheduleRequest,
  schedule,
  takes,
} from '../../support/schedules.ts';
import { Simulation } from '../../support/simulation/simulation.ts';

/** Nights with a change of daylight saving: the days before and after it have 24 hours. */
const CHANGES = [
  ['Europe/Berlin', '30 2 * * *', ['2026-03-28T01:30Z', '2026-03-29T01:00Z', '2026-03-30T00:30Z']],
  ['Europe/Berlin', '30 2 * * *', ['2026-10-24T00:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z']],
  ['America/New_York', '30 2 * * *', ['2026-03-07T07:30Z', '2026-03-08T07:00Z', '2026-03-09T06:30Z']],
  ['America/New_York', '30 1 * * *', ['2026-10-31T05:30Z', '2026-11-01T05:30Z', '2026-11-02T06:30Z']],
] as const;

describe.each(CHANGES)('over a change of daylight saving in %s, %s', (zone, cron, texts) => {
  const times = texts.map((text) => Date.parse(text));
  const [first = 0, second = 0, third = 0] = times;

  /** Until two hours after the third time. */
  async function pass(request: ScheduleRequest, agents = takes(1_000)): Promise<Simulation> {
    const simulation = await Simulation.begin({ agents });
    simulation.clock.jump(first - 5 * HOUR_MS - simulation.clock.now());
    await schedule(simulation, { every_seconds: undefined, ...request });
    await simulation.advance(third + 2 * HOUR_MS - simulation.clock.now());
    return simulation;
  }

  it.each([
    ['skip', [first, third], 0],
    ['buffer_one', [first, second], 1],
    ['buffer_all', [first, second], 1],
    ['allow_all', times, 0],
    ['cancel_other', times, 0],
  ] as const)('a cron pattern fires once a day, with overlap %s', async (overlap, expected, waiting) => {
    // Longer than a day, and so over the second time, or with the third one over it, too.
    const simulation = await pass({ cron, zone, overlap }, takes(27 * HOUR_MS));
    expect(nominals(simulation)).toEqual(expected);
    expect(readSchedule(simulation.app, 's').waiting).toHaveLength(waiting);
  });

  it('a period goes on in real time, and a single time comes once', async () => {
    const periodic = await pass({ every_seconds: 6 * 3_600 });
    const found = nominals(periodic);
    expect(found.length).toBeGreaterThanOrEqual(8);
    for (const [index, time] of found.entries()) expect(time).toBe((found[0] ?? 0) + index * 6 * HOUR_MS);
    const once = await pass({ at: new Date(second).toISOString(), zone });
    expect(nominals(once)).toEqual([second]);
  });
});

describe('schedules/each-time-once', () => {
  it.each(['lost', 'unanswered'] as const)(
    'creates one task for each time when Signalbox dies at any append (%s)',
    async (fault) => {
      let last = Number.POSITIVE_INFINITY;
      let crashes = 0;
      for (let after = 1; after <= last; after++) {
        const simulation = await Simulation.begin({ agents: takes(1_000) });
        await schedule(simulation, { every_seconds: 60, catch_up: 'all', overlap: 'buffer_all' });
        const begin = simulation.log.appends;
        const from = simulation.clock.now();
        simulation.log.faults.set(begin + after, fault);
        while (simulation.clock.now() < from + 4.5 * MINUTE_MS) {
          if (!simulation.node) {
            crashes++;
            await simulation.open();
          }
          if (!(await simulation.step())) break;
        }
        const times = nominals(simulation);
        const expected = Array.from({ length: times.length }, (_, index) => (times[0] ?? 0) + index * 60_000);
        expect(times, `crash at append ${begin + after}`).toEqual(expected);
        expect(times.length).toBeGreaterThanOrEqual(4);
        last = Math.min(last, simulation.log.appends - begin);
      }
      expect(crashes).toBeGreaterThan(12);
    },
  );

  it('creates one task for each time over 1,000 crashes around firing and creation, and take-overs', async () => {
    let crashes = 0;
    let between = 0;
    for (let seed = 1; crashes < 1_000; seed++) {
      const simulation = await Simulation.begin({ seed, agents: takes(1_000) });
      const { random, log } = simulation;
      await schedule(simulation, { every_seconds: 60, catch_up: 'all', overlap: 'allow_all' });
      const begin = simulation.clock.now();
      for (let round = 0; round < 10; round++) {
        log.traps.set(random.pick(['fired', 'created']), random.pick(['lost', 'unanswered']));
        await simulation.until(() => simulation.node === null);
        crashes++;
        const last = simulation.records.at(-1)?.event;
        if (last?.type === 'schedule.fired') between++;
        if (random.chance(0.3)) await simulation.advance(random.int(0, 150_000));
        await simulation.open();
        // A standby may take over from one that lives.
        if (random.chance(0.1)) await simulation.open();
      }
      log.traps.clear();
      await simulation.advance(2 * MINUTE_MS);
      const times = nominals(simulation).sort((a, b) => a - b);
      const firstTime = Math.floor(begin / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
      expect(times.length).toBe(Math.floor((simulation.clock.now() - firstTime) / MINUTE_MS) + 1);
      expect(times, `seed ${seed}`).toEqual(times.map((_, index) => firstTime + index * MINUTE_MS));
    }
    expect(between).toBeGreaterThan(200);
  });
});
