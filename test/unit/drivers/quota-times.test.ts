/**
 * Texts of a used-up quota, written in every way that tools write times. The times are printed by Intl, so that nothing of
 * what reads them has written them.
 */
import { describe, expect, it } from 'vitest';
import { type QuotaSettings, quotaSign } from '../../../src/drivers/quota.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What tools print before the time, the texts of protocols first. */
const LEADS = [
  "You've hit your limit · resets ",
  '5-hour limit reached ∙ resets ',
  'Try again at ',
  'rate_limit_error: this request would exceed the limit of your account; resets at ',
  'Claude usage limit reached. Your limit will reset at ',
  "■ You've hit your usage limit. Upgrade to Pro (https://openai.com/pricing) or try again at ",
  "⚠️  You've hit your usage limit. To get more access now, send a request to your admin or try again at ",
  'Opus weekly limit reached ∙ resets ',
  'You’re out of extra usage · resets ',
];

/** The zone that the agent runs in, and a moment at which its tool ends. */
const MOMENTS: readonly (readonly [zone: string, now: string])[] = [
  ['UTC', '2026-04-16T12:00:30Z'],
  ['UTC', '2026-12-31T22:10:00Z'],
  ['America/New_York', '2026-04-16T12:00:30Z'],
  // The evening before each change of daylight saving.
  ['America/New_York', '2026-03-07T23:00:00Z'],
  ['America/New_York', '2026-10-31T23:00:00Z'],
  ['Asia/Kolkata', '2026-04-16T20:29:00Z'],
  ['Europe/Berlin', '2026-03-28T20:00:00Z'],
  ['Europe/Berlin', '2026-10-24T20:00:00Z'],
];

/** Minutes until the quota is free again, within a day, as a time without a date means. */
const WITHIN_A_DAY = [20, 100, 5 * 60 + 13, 9 * 60, 22 * 60 + 30];
const LATER = [30 * 60, 50 * 60, 5 * 24 * 60 + 77];

interface Wall {
  readonly hour: string;
  readonly hour12: string;
  readonly minute: string;
  readonly half: string;
  readonly day: string;
  readonly month: string;
  readonly year: string;
  readonly weekday: string;
  readonly abbreviation: string;
}

function wallAt(moment: number, zone: string): Wall {
  const parts = (options: Intl.DateTimeFormatOptions): Record<string, string> =>
    Object.fromEntries(
      new Intl.DateTimeFormat('en-US', { timeZone: zone, ...options })
        .formatToParts(moment)
        .map(({ type, value }) => [type, value]),
    );
  const whole = parts({ hourCycle: 'h23', hour: '2-digit', minute: '2-digit' });
  const half = parts({ hour12: true, hour: 'numeric', minute: '2-digit' });
  const date = parts({
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    weekday: 'short',
    timeZoneName: 'short',
  });
  return {
    hour: whole.hour ?? '',
    minute: whole.minute ?? '',
    hour12: half.hour ?? '',
    half: half.dayPeriod ?? '',
    day: date.day ?? '',
    month: date.month ?? '',
    year: date.year ?? '',
    weekday: date.weekday ?? '',
    abbreviation: date.timeZoneName ?? '',
  };
}

const CLOCKS: readonly ((wall: Wall) => string)[] = [
  ({ hour12, minute, half }) => `${hour12}:${minute}${half.toLowerCase()}`,
  ({ hour12, minute, half }) => `${hour12}:${minute} ${half}`,
  ({ hour12, minute, half }) => `${hour12}:${minute} ${half.toLowerCase().split('').join('.')}.`,
  ({ hour, minute }) => `${hour}:${minute}`,
  ({ hour12, minute, half }) =>
    minute === '00' ? `${hour12}${half.toLowerCase()}` : `${hour12}:${minute}${half}`,
];

const DATES: readonly ((wall: Wall, clock: string) => string)[] = [
  ({ month, day }, clock) => `${month} ${day}, ${clock}`,
  ({ month, day }, clock) => `${month} ${day} at ${clock}`,
  ({ month, day, year }, clock) => `${month} ${day}${ordinal(day)}, ${year} ${clock}`,
  ({ month, day, year }, clock) => `${day} ${month} ${year} ${clock}`,
  ({ weekday }, clock) => `${weekday} ${clock}`,
];

function ordinal(day: string): string {
  if (/^1\d$/.test(day)) return 'th';
  return { 1: 'st', 2: 'nd', 3: 'rd' }[day.slice(-1)] ?? 'th';
}

const settings = (zone: string): QuotaSettings => ({ pattern: null, parkMs: 77, zone });

/** The whole minute so long after now. */
const freeAt = (now: number, minutes: number): number => Math.floor(now / MINUTE) * MINUTE + minutes * MINUTE;

/** Whether the clock of the zone shows this time once only. */
function isOnce(moment: number, zone: string): boolean {
  const shown = (at: number): string => CLOCKS[3]?.(wallAt(at, zone)) ?? '';
  return shown(moment - HOUR) !== shown(moment) && shown(moment + HOUR) !== shown(moment);
}

/** The zone of the agent, or one that the text names, in each of the ways to name it. */
function zonesOf(zone: string, moment: number): readonly (readonly [zone: string, suffix: string])[] {
  const { abbreviation } = wallAt(moment, 'America/New_York');
  return [
    [zone, ''],
    ['UTC', ' (UTC)'],
    ['UTC', ' UTC'],
    ['Europe/Berlin', ' (Europe/Berlin)'],
    ['America/New_York', ` ${abbreviation}`],
    ['Asia/Kolkata', ' (UTC+5:30)'],
  ];
}

describe.each(MOMENTS)('in %s at %s, a quota', (zone, at) => {
  const now = Date.parse(at);
  const read = (line: string): number | undefined =>
    quotaSign(settings(zone), { error: line, printed: [] }, now)?.untilMs;

  /** In each zone that is named, and in each form of the clock. */
  const check = (moment: number, write: (wall: Wall, clock: string) => string): void => {
    for (const [named, suffix] of zonesOf(zone, moment)) {
      // A time that comes twice means its first occurrence.
      if (!isOnce(moment, named)) continue;
      const wall = wallAt(moment, named);
      for (const clock of CLOCKS) {
        const line = `${write(wall, clock(wall))}${suffix}`;
        expect(read(line), line).toBe(moment);
      }
    }
  };

  it.each(LEADS)('is free at the time of the day that is named: %s…', (lead) => {
    for (const minutes of WITHIN_A_DAY) check(freeAt(now, minutes), (_wall, clock) => `${lead}${clock}`);
  });

  it.each(LEADS)('is free on the date, or the day of the week, that is named: %s…', (lead) => {
    for (const minutes of LATER) {
      for (const date of DATES) check(freeAt(now, minutes), (wall, clock) => `${lead}${date(wall, clock)}`);
    }
  });

  it('is free tomorrow', () => {
    // The hour after the present one of the next day is in no change of daylight saving.
    const wall = wallAt(now, zone);
    const tomorrow = [23, 24, 25]
      .map((hours) => freeAt(now, hours * 60))
      .find((at) => wallAt(at, zone).hour === wall.hour);
    const line = `Usage limit reached, resets tomorrow at ${wall.hour}:${wall.minute}`;
    expect(read(line), line).toBe(tomorrow);
  });

  it.each<[string, number]>([
    ['try again in 2 hours 5 minutes', 2 * HOUR + 5 * MINUTE],
    ['Please try again in 1 hour, 5 minutes and 3 seconds.', HOUR + 5 * MINUTE + 3_000],
    ['Please retry in 32.5s', 32_500],
    ['Retry-After: 120', 120_000],
    ["'retry-after': '120'", 120_000],
    ['Try again in an hour', HOUR],
    ['try again in 1d 2h', DAY + 2 * HOUR],
    ["You've hit your limit · resets in 3h 20m", 3 * HOUR + 20 * MINUTE],
    [
      '[API Error: You have exhausted your capacity on this model. Your quota will reset after 5h32m10s.]',
      5 * HOUR + 32 * MINUTE + 10_000,
    ],
    [
      'Rate limit reached for gpt-5 in organization org-7 on tokens per min (TPM): Limit 30000, Used 28245, Requested 2540. Please try again in 1.57s. Visit https://platform.openai.com to learn more.',
      1_570,
    ],
    ['ERROR: exceeded retry limit, last status: 429 Too Many Requests, retry after 90 seconds', 90_000],
  ])('is free after the wait that is named: %s', (line, ms) => {
    expect(read(line)).toBe(now + ms);
  });

  it('is free at the moment that is named', () => {
    const moment = freeAt(now, 195);
    const iso = new Date(moment).toISOString();
    for (const line of [
      `rate_limit_error … resets at ${iso}`,
      `rate_limit_error … resets at ${iso.slice(0, 19)}Z`,
      `Usage limit reached for 5 hour. Your limit will reset at ${iso.slice(0, 19).replace('T', ' ')} UTC`,
      `Claude AI usage limit reached|${moment / 1_000}`,
      `Claude AI usage limit reached|${moment}`,
      `retry-after: ${new Date(moment).toUTCString()}`,
    ])
      expect(read(line), line).toBe(moment);
  });

  it('is free after the configured time if it is said to be used up, and nothing else', () => {
    for (const line of [
      "You've hit your org's monthly usage limit",
      'Resource has been exhausted (e.g. check quota).',
      "Quota exceeded for quota metric 'Requests' and limit 'Requests per day' of service 'x' for consumer 'y'.",
      'Claude AI usage limit reached|1729900000',
    ])
      expect(read(line), line).toBe(now + 77);
  });
});
