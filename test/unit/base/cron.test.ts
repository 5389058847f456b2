import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cronFault, lastCron, nextCron } from '../../../src/base/cron.ts';
import { isZone, wallOf } from '../../../src/base/time-zone.ts';

const at = (text: string): number => Date.parse(text);

function times(pattern: string, zone: string, from: string, count: number): string[] {
  const found: string[] = [];
  for (let moment = nextCron(pattern, zone, at(from)); moment !== null && found.length < count; ) {
    found.push(new Date(moment).toISOString().slice(0, 16));
    moment = nextCron(pattern, zone, moment);
  }
  return found;
}

describe('a cron pattern', () => {
  it.each([
    ['Europe/Berlin', '30 2 * * *', '2026-03-28T12:00Z', ['2026-03-29T01:00', '2026-03-30T00:30']],
    ['America/New_York', '30 2 * * *', '2026-03-07T12:00Z', ['2026-03-08T07:00', '2026-03-09T06:30']],
    ['Europe/Berlin', '*/15 2 * * *', '2026-03-28T12:00Z', ['2026-03-29T01:00', '2026-03-30T00:00']],
  ])(
    'with a time that does not exist in %s, %s, occurs once, after the gap',
    (zone, pattern, from, expected) => {
      expect(times(pattern, zone, from, 2)).toEqual(expected);
    },
  );

  it.each([
    ['Europe/Berlin', '30 2 * * *', '2026-10-24T12:00Z', ['2026-10-25T00:30', '2026-10-26T01:30']],
    ['America/New_York', '30 1 * * *', '2026-10-31T12:00Z', ['2026-11-01T05:30', '2026-11-02T06:30']],
    [
      'Europe/Berlin',
      '*/30 2 * * *',
      '2026-10-24T12:00Z',
      ['2026-10-25T00:00', '2026-10-25T00:30', '2026-10-26T01:00'],
    ],
  ])('with a time that exists twice in %s, %s, occurs once', (zone, pattern, from, expected) => {
    expect(times(pattern, zone, from, expected.length)).toEqual(expected);
  });

  it('with every hour follows real time over both changes', () => {
    for (const from of ['2026-03-28T23:30Z', '2026-10-24T23:30Z']) {
      const hours = times('0 * * * *', 'Europe/Berlin', from, 5).map((each) => at(`${each}Z`));
      for (const [index, hour] of hours.entries()) expect(hour - (hours[0] ?? 0)).toBe(index * 3_600_000);
    }
  });

  it('is asked for its last time without counting from the beginning', () => {
    const until = at('2026-11-29T10:00Z');
    expect(lastCron('0 9 * * *', 'UTC', 0, until)).toBe(at('2026-11-29T09:00Z'));
    expect(lastCron('0 0 29 2 *', 'UTC', 0, until)).toBe(at('2024-02-29T00:00Z'));
    expect(lastCron('* * * * *', 'UTC', until, until)).toBeNull();
  });

  it('that is wrong is explained', () => {
    for (const pattern of ['61 * * * *', 'every day', '* * * * * *', '', '0 0 30 2 *'])
      expect(cronFault(pattern), pattern).toMatch(/expected a cron pattern /);
    expect(cronFault('0 25 * * *')).toMatch(/^hour "25" is not valid: expected /);
    expect(cronFault('0 9 * * MON-FRY')).toMatch(/^day of week "MON-FRY" is not valid: /);
    expect(cronFault('@daily')).toBeNull();
    expect(isZone('Europe/Berlin')).toBe(true);
    expect(isZone('Mars/Base')).toBe(false);
  });

  it('always goes on, to a time whose wall clock it matches or that ends a gap', () => {
    const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC'];
    const span = { min: at('2026-01-01T00:00Z'), max: at('2028-01-01T00:00Z') };
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: 0, max: 59 }),
        fc.integer({ min: 0, max: 23 }),
        fc.integer(span),
        (zone, minute, hour, from) => {
          const next = nextCron(`${minute} ${hour} * * *`, zone, from) ?? 0;
          expect(next).toBeGreaterThan(from);
          expect(next - from).toBeLessThanOrEqual(25.5 * 3_600_000);
          const wall = new Date(wallOf(next, zone));
          const matches = wall.getUTCMinutes() === minute && wall.getUTCHours() === hour;
          const isAfterGap = wallOf(next, zone) - wallOf(next - 1, zone) > 1;
          expect(matches || isAfterGap).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});
