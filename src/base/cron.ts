/**
 * Cron patterns of five fields in an IANA zone. As in Vixie cron, a day matches if its day of month or its day of week
 * does, unless one of the two is `*`.
 *
 * Daylight saving: a pattern with fixed hours names times of the wall clock. One that does not exist stands for the first
 * moment after the gap, and one that exists twice for its first occurrence, so each occurs once. A pattern with every or
 * every nth hour follows real time, so it neither pauses nor repeats.
 */
import { Cron } from 'croner';
import { momentOf, wallOf } from './time-zone.ts';

const FORM =
  'expected a cron pattern of five fields (minute, hour, day of month, month, day of week), such as "0 9 * * 1-5"';

const FIELDS = ['minute', 'hour', 'day of month', 'month', 'day of week'] as const;

/** What is wrong with a pattern; null if nothing is. */
export function cronFault(pattern: string): string | null {
  const fields = pattern.trim().split(/\s+/);
  // The library would also take a date.
  if (!pattern.startsWith('@') && fields.length !== FIELDS.length) return FORM;
  try {
    const [first] = cronOf(pattern, 'UTC').nextRuns(1, new Date(0));
    return first === undefined ? 'expected a cron pattern with a day that exists' : null;
  } catch {
    const wrong = FIELDS.findIndex((_, index) => isWrongAlone(fields, index));
    return wrong === -1 ? FORM : `${FIELDS[wrong]} ${JSON.stringify(fields[wrong])} is not valid: ${FORM}`;
  }
}

function isWrongAlone(fields: readonly string[], index: number): boolean {
  try {
    cronOf(FIELDS.map((_, place) => (place === index ? (fields[place] ?? '') : '*')).join(' '), 'UTC');
    return false;
  } catch {
    return fields.length === FIELDS.length;
  }
}

/** The first time of a pattern after a moment; null if there is none. Times are epoch milliseconds. */
export function nextCron(pattern: string, zone: string, after: number): number | null {
  if (followsRealTime(pattern)) return timeOf(cronOf(pattern, zone).nextRun(new Date(after)));
  const walls = cronOf(pattern, 'UTC');
  for (let wall: number | null = wallOf(after, zone); ; ) {
    wall = timeOf(walls.nextRun(new Date(wall)));
    if (wall === null) return null;
    const moment = momentOf(wall, zone);
    if (moment > after) return moment;
  }
}

/** The last time of a pattern at or before a moment, but after another one; null if there is none. */
export function lastCron(pattern: string, zone: string, after: number, until: number): number | null {
  // Daylight saving moves a time by at most one day, so the pattern of the zone's present offset finds a near one.
  for (const back of BACK_MS) {
    const from = Math.max(after, until - back);
    let last: number | null = null;
    for (
      let next = nextCron(pattern, zone, from);
      next !== null && next <= until;
      next = nextCron(pattern, zone, next)
    )
      last = next;
    if (last !== null || from === after) return last;
  }
  return null;
}

const DAY_MS = 86_400_000;
/** How far to look back for the last time, in steps, so that a frequent pattern is not enumerated for years. */
const BACK_MS = [3_600_000, DAY_MS, 32 * DAY_MS, 367 * DAY_MS, Number.POSITIVE_INFINITY];

const HOUR_FIELD = 1;

function followsRealTime(pattern: string): boolean {
  return pattern.startsWith('@hourly') || pattern.trim().split(/\s+/)[HOUR_FIELD]?.startsWith('*') === true;
}

function cronOf(pattern: string, timezone: string): Cron {
  return new Cron(pattern, { timezone, mode: '5-part', paused: true });
}

const timeOf = (date: Date | null): number | null => date?.getTime() ?? null;
